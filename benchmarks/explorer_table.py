"""The table of the explorer's pages."""

from __future__ import annotations

from published import command, named


def explorer_table() -> str:
    """Return the table of the explorer's pages, in Markdown."""
    measured = named("explorer")
    lines = [
        "| | parameters | page, MB | first answer, s | one pass, ms | frames/s while drawing "
        "| largest difference of a probability | answers changed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in measured["networks"].items():
        lines.append(
            f"| {name} | {one['parameters']:,} | {one['bytes'] / 1e6:.2f} "
            f"| {one['seconds_to_first_answer']:.2f} | {one['milliseconds_a_pass']:.1f} "
            f"| {one['drawing']['frames_per_second']:.0f} | {one['largest_difference']:.1e} "
            f"| {one['changed_answers']} of {one['pictures']:,} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"One run of each recipe, by `{command(measured)}` on {measured['hardware']}, chromium "
            f"{measured['chromium']} without a screen and without a graphics processor. A pass "
            "makes every feature map, on one core.",
        ]
    )
