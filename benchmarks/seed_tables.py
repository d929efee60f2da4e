"""README's table of the two published systems."""

from __future__ import annotations

from fashioncnn.recipes.load import load
from published import Result, command, named, result, spread


def seeds_table() -> str:
    """Return README's table of the seed systems, in Markdown."""
    lines = [
        "| | accuracy, % | weighted F1 | Shirt F1 | epochs alone, s | whole run, s | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("two-conv", "three-conv"):
        reported = load(name).reported
        assert reported is not None
        shirt = reported.classes["Shirt"].f1
        weighted = "–" if reported.f1_weighted is None else f"{reported.f1_weighted:.2f}"
        lines.append(
            f"| {name}, as reported | {100 * reported.accuracy:.2f} | {weighted} "
            f"| {shirt:.2f} | – | – | – |"
        )
        for suffix, words in (("", ""), ("-bf16", " `--precision bf16`"), ("-ordinary", "")):
            if measured := result(f"{name}{suffix}"):
                label = "the ordinary way" if suffix == "-ordinary" else f"**`{name}`**{words}"
                lines.append(f"| {label} | {_cells(measured)} |")
    return "\n".join([*lines, "", *_seed_words()])


def _cells(measured: Result) -> str:
    return " | ".join(
        [
            spread(measured, "test/accuracy", 100),
            spread(measured, "test/f1_weighted", digits=4),
            spread(measured, "test/f1/Shirt", digits=3),
            spread(measured, "train/seconds", digits=1),
            spread(measured, "run/seconds", digits=1),
            str(measured["n"]),
        ]
    )


def _seed_words() -> list[str]:
    measured = result("two-conv")
    if measured is None:
        return []
    versions, machine = measured["versions"], measured["machine"]
    faster = [
        f"{result['ratios']['two-conv-ordinary']['median']:.2f} times faster {words}"
        for result, words in ((measured, "in fp32"), (named("two-conv-bf16"), "in bf16"))
    ]
    return [
        f"Mean ± standard deviation over n seeds, on {machine['hardware']}, torch "
        f"{versions['torch']}, Python {versions['python']}, {measured['date']}, commit "
        f"{measured['commit'][:7]}; made again by `{command(measured)}`. Test is read once a run, "
        "by the weights that are best on validation. Whole runs of `two-conv` are "
        f"{' and '.join(faster)} than the ordinary way (Pillow, DataLoader, unfused Adam; the "
        "same network and epochs; median of the ratios pair by pair).",
    ]
