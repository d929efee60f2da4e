"""The two published systems, re-created: every figure they report beside ours, over several seeds.

Trains both recipes as they are with seeds 0, 1, …; started again, it goes on with the runs in
runs/published. Test is read once a run. Writes docs/findings/published-systems.md, and a page
beside the runs of each.

Usage: python benchmarks/published_systems.py [--seeds 5]
"""

from __future__ import annotations

import argparse

import fashioncnn as fc
from fashioncnn.opening.scored import scored_run
from fashioncnn.reporting.groups import Group, groups
from fashioncnn.reporting.reported import reported_rows
from fashioncnn.workflows.evaluate import open_evaluated
from shared import DOCS, ROOT

RUNS = ROOT / "runs" / "published"
RECIPES = ("two-conv", "three-conv")


def section(group: Group) -> list[str]:
    """Return the table of one system, in Markdown."""
    facts = group.first.provenance
    # A run that was stopped may have gone on with other threads.
    hardware = " or ".join(sorted({run.provenance["hardware"] for run in group.runs}))
    lines = [
        f"## `{group.first.name}`",
        "",
        f"{len(group.runs)} seeds on {hardware}, {facts['precision']}, torch "
        f"{facts['versions']['torch']}.",
        "",
        "| figure | reported | ours | verdict |",
        "|---|---|---|---|",
    ]
    for row in reported_rows(group):
        std = "" if row.std is None else f" ± {row.std:.4f}"
        lines.append(f"| {row.name} | {row.reported:.4f} | {row.mean:.4f}{std} | {row.verdict} |")
    return [*lines, ""]


def main() -> None:
    """Train, report, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    lines = [
        "# The two published systems, figure by figure",
        "",
        "What each report says, beside the mean ± standard deviation over seeds of the recipe that "
        "re-creates it, on the test pictures; the loss on training pictures includes dropout and "
        "augmentation. Reported figures come without a spread: “about the same” is within "
        "one standard deviation of ours, “may be chance” within the range of 95 of 100 further "
        "runs, both widened by half a hundredth, as most are given with two digits. Test is read "
        "once a run, by the weights that are best on validation. Made by "
        "`python benchmarks/published_systems.py`, which leaves a page of each in "
        "`runs/published`.",
        "",
    ]
    for name in RECIPES:
        runs = fc.train_seeds(name, seeds=seeds, out=RUNS, device="cpu", resume=True)
        print(fc.report(runs))
        (group,) = groups([scored_run(open_evaluated(run, device="cpu")) for run in runs])
        lines += section(group)
    (DOCS / "published-systems.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
