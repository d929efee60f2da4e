"""Show what the page takes after training, stage by stage, and what `--full` adds.

Trains a recipe briefly (time does not depend on how long it learned), then makes its page and its
full page, each in a copy of the run, as the commands do. Writes results/page-speed.json.

Usage: python benchmarks/page_speed.py [RECIPE] [--repeats 3]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import fashioncnn as fc
from fashioncnn.benchmarking.commands import run
from fashioncnn.evaluation.summary import summarise
from fashioncnn.opening.scored import scored_run
from fashioncnn.reporting.groups import groups
from fashioncnn.reporting.html import write_page
from fashioncnn.reporting.run_document import run_document
from fashioncnn.workflows.attribute import attribute_trained
from fashioncnn.workflows.embed import embed_trained
from fashioncnn.workflows.evaluate import open_evaluated
from fashioncnn.workflows.explain import explain_trained
from fashioncnn.workflows.stress import stress_trained
from shared import write_result


def stages(path: Path) -> dict[str, float]:
    """Return the seconds of each stage of a full page, in this process."""
    seconds: dict[str, float] = {}
    started = time.perf_counter()

    def done(name: str) -> None:
        nonlocal started
        seconds[name] = time.perf_counter() - started
        started = time.perf_counter()

    trained = open_evaluated(path, device="cpu")
    done("evaluate")
    explain_trained(trained)
    done("explain")
    (group,) = groups([scored_run(trained)])
    document = run_document(group)
    done("document")
    write_page(document, path / "report.html", path / "figures")
    done("draw and write")
    stress_trained(trained)
    done("full: stress")
    attribute_trained(trained)
    done("full: attribute")
    embed_trained(trained)
    done("full: embed")
    write_page(run_document(group), path / "report.html", path / "figures")
    done("full: draw and write")
    return seconds


def main() -> None:
    """Train, time, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", default="fast-93")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        changes = {"training.epochs": 2}
        whole = fc.train(options.recipe, changes=changes, out=folder, device="cpu").path
        for repeat in range(options.repeats):
            one = dict(stages(Path(shutil.copytree(whole, folder / f"stages-{repeat}"))))
            for words in ((), ("--full",)):
                copy = shutil.copytree(whole, folder / f"copy-{repeat}{''.join(words)}")
                command = [sys.executable, "-m", "fashioncnn", "report", str(copy), "--json"]
                label = f"the command{' --full' if words else ''}"
                one[label] = run([*command, "--device", "cpu", *words]).seconds
            found.append(one)
            print({stage: round(value, 1) for stage, value in one.items()}, flush=True)
    write_result("page-speed", {"recipe": options.recipe, "seconds": summarise(found)})


if __name__ == "__main__":
    main()
