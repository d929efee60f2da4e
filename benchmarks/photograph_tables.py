"""The tables of docs/how-to/photographs.md."""

from __future__ import annotations

from photographs import NO_GARMENT, spread
from published import Result, command, named

HALVES = {"choosing": "choosing half", "other": "other half", "both": "both"}


def photographs_table() -> str:
    """Return how networks answer photographs, in Markdown."""
    measured = named("photographs")
    lines = [
        '| photographs | n | right, mean of six kinds, % | "Bag", % | garments answered, % '
        "| shoes right or not answered, % | others not answered, % "
        "| others and drawn ones not answered, where nine of ten garments are, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for half, words in HALVES.items():
        found = measured[half]
        counts = found[0]["n"]
        others = sum(counts[kind] for kind in NO_GARMENT)
        garments = sum(counts.values()) - others - counts["shoes"]
        cells = [
            spread([one[key] for one in found])
            for key in (
                "right_mean_of_kinds",
                "bag",
                "garments_answered",
                "shoes_right_or_abstained",
                "others_abstained",
                "others_and_drawn_at_nine_of_ten",
            )
        ]
        lines.append(
            f"| {words} | {garments} garments, {counts['shoes']} shoes, {others} others "
            f"| {' | '.join(cells)} |"
        )
    kinds = ", ".join(
        f"{kind} {spread([one['right'][kind] for one in measured['both']])}"
        for kind in measured["both"][0]["right"]
    )
    intervals = ", ".join(
        f"{100 * low:.0f} to {100 * high:.0f} ({half})"
        for half, (low, high) in measured["over_photographs"].items()
    )
    code = measured["by_code"]
    drawn = ", ".join(
        f"{kind} {spread([one['drawn_abstained_by_kind'][kind] for one in code])}"
        for kind in code[0]["drawn_abstained_by_kind"]
    )
    grounds = ", ".join(
        f"on {ground} {spread([one['photographed_kept_by_ground'][ground] for one in code])}"
        for ground in code[0]["photographed_kept_by_ground"]
    )
    return "\n".join(
        [
            *lines,
            "",
            f"Both halves, by kind: {kinds} % right. Over the photographs alone, 95 % intervals of "
            f"the share right are {intervals}.",
            "",
            "Drawn by code: of 200 pictures of text, noise, gradients and windows of a screen, "
            f"{spread([one['drawn_abstained'] for one in code])} % are not answered ({drawn}). Of "
            "1,000 test pictures, photographed by code (enlarged, tinted, off-centre, turned up "
            f"to 15°, JPEG 60), {spread([one['photographed_kept'] for one in code])} % keep the "
            f"answer of the original ({grounds}); "
            f"{spread([one['photographed_answered'] for one in code])} % are answered.",
            "",
            f"{_networks(measured)}, with a test accuracy of "
            f"{spread(measured['test_accuracy'])} %; right is without abstaining. "
            f"{_words(measured)}",
        ]
    )


def parts_tables() -> str:
    """Return what each part of recipe and conversion is worth, in Markdown."""
    measured = named("photograph_parts")
    lines = [
        "| left out of the recipe | choosing half, % | other half, % "
        "| unknown not answered, % | validation accuracy, % |",
        "|---|---|---|---|---|",
    ]
    for part, found in measured["parts"].items():
        cells = [spread(found[key]) for key in ("choosing", "other", "unknown", "validation")]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    lines += ["", "| conversion | choosing half, % | other half, % |", "|---|---|---|"]
    for step, found in measured["steps"].items():
        lines.append(f"| {step} | {spread(found['choosing'])} | {spread(found['other'])} |")
    return "\n".join(
        [
            *lines,
            "",
            f"Right without abstaining, mean of six kinds, over {measured['n']} networks each. "
            "Unknown are both halves' others and what is drawn by code, where nine of ten garments "
            f"are answered. {_words(measured)}",
        ]
    )


def _networks(measured: Result) -> str:
    n, recipe = measured["n"], measured["recipe"]
    if n == 1:
        return f"The network of `{recipe}` that comes along"
    others = f"the one that comes along and {n - 1} of other seeds"
    return f"Mean ± standard deviation over {n} networks of `{recipe}`, {others}"


def _words(measured: Result) -> str:
    versions = measured["versions"]
    return (
        f"By `{command(measured)}`, on {measured['hardware']}, torch {versions['torch']}, "
        f"fashioncnn {versions['fashioncnn']}."
    )
