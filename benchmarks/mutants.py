"""Show what the tests see: small faults are seeded into the code, and how many are caught.

Each mutant changes one expression of one module: a comparison, an operator, a constant, a
condition, a call left out, arguments exchanged. The tests of that module are run against a copy of
the tree: those that run the line that is changed, the quick ones before the slow ones; a mutant is
caught where one fails. Tests of more than SLOWEST_SECONDS are left out. Survivors are listed for a
person to judge: some change nothing that can be seen. Run by hand, for hours. Writes
results/mutants.json where all modules are asked. With --resume, what was judged before
(bench/mutants/) is not asked again, but survivors where their tests have changed.

Usage: python benchmarks/mutants.py [--mutants 500] [--seed 0] [--only MODULE…] [--resume]
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import json
import os
import py_compile
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from mutations import Mutant, all_mutants
from shared import ROOT, side_by_side, write_result

PACKAGE = Path("src/fashioncnn")
KEPT = ROOT / "bench" / "mutants"
CAUGHT, SURVIVED = KEPT / "caught.txt", KEPT / "survived.txt"
JUDGE = Path(__file__).with_name("judge.py")
MEASURING_SECONDS = 2000
QUICK_SECONDS, SLOWEST_SECONDS = 1, 100
# What takes so many seconds more than so many times what it takes without a fault loops.
MORE_SECONDS, TIMES, MOST_SECONDS = 40, 5, 500
FIRST = 12
# The tests that are of each part of the code: the first that matches.
TESTS: dict[str, tuple[str, ...]] = {
    "data/augmentations/own.py": ("test_own_parts",),
    "data/augmentations": (
        "test_augmentations",
        "test_redrawn",
        "test_counterexamples",
        "test_batches",
        "test_recipes",
    ),
    "data/idx.py": ("test_idx", "test_sources"),
    "data/sources": ("test_data_sets", "test_sources"),
    "data/debian.py": ("test_download", "test_sources"),
    "data/download.py": ("test_download", "test_sources"),
    "data/fetch.py": ("test_download", "test_sources"),
    "data/identity.py": ("test_download", "test_sources"),
    "data/images.py": ("test_batches", "test_audit", "test_data_sets"),
    "data/places.py": ("test_sources",),
    "data/preparation.py": ("test_batches", "test_augmentations", "test_bundles"),
    "data/unlabelled.py": ("test_unlabelled",),
    "data/dataset.py": ("test_data_sets", "test_sources", "test_splits", "test_train"),
    "data/splits.py": ("test_splits", "test_real_data"),
    "data/duplicates.py": ("test_audit",),
    "data": ("test_batches", "test_augmentations", "test_ensemble", "test_train", "test_data_sets"),
    "models/own.py": ("test_own_parts", "test_check"),
    "models": ("test_models", "test_registries", "test_ensemble", "test_recipes"),
    "training/losses/own.py": ("test_own_parts",),
    "training/optimizers/own.py": ("test_own_parts", "test_check"),
    "training/schedules/own.py": ("test_own_parts",),
    "training/losses": ("test_training_parts", "test_counterexamples", "test_registries"),
    "training": (
        *("test_training_parts", "test_ensemble", "test_counterexamples", "test_train"),
        *("test_checkpoints", "test_together", "test_recipes"),
    ),
    "evaluation/answers.py": ("test_sureness", "test_predict", "test_evaluate"),
    "evaluation/as_photographed.py": ("test_sureness", "test_evaluate"),
    "evaluation/sureness.py": ("test_sureness", "test_predict"),
    "evaluation/corruptions.py": ("test_stress",),
    "evaluation/out_of_distribution.py": ("test_stress",),
    "evaluation/label_candidates.py": ("test_audit",),
    "evaluation/class_groups.py": ("test_class_groups",),
    "evaluation": (
        *("test_scores", "test_intervals", "test_compare", "test_stress"),
        *("test_ensemble", "test_evaluate", "test_report"),
    ),
    "explanation": ("test_attributions", "test_units"),
    "runs": (
        *("test_checkpoints", "test_durability", "test_bounds", "test_stress"),
        *("test_artifacts", "test_train", "test_evaluate", "test_report", "test_damaged_runs"),
    ),
    "recipes/code.py": ("test_own_parts",),
    "recipes/load.py": ("test_recipes", "test_registries", "test_data_sets", "test_own_parts"),
    "recipes/tables/data.py": ("test_recipes", "test_registries", "test_data_sets", "test_splits"),
    "recipes/build.py": ("test_recipes", "test_registries", "test_train", "test_ensemble"),
    "recipes": ("test_recipes", "test_registries", "test_data_sets"),
    "tuning/storage.py": ("test_database", "test_tune"),
    "tuning": ("test_space", "test_journal", "test_tune"),
}
# Without a GPU, its tests are skipped.
NOT_HERE = ("training/cuda_graphs.py",)
MODULES = (
    *("data", "training", "evaluation", "runs", "recipes", "tuning", "models"),
    "explanation/checks.py",
)


class Tree:
    """A copy of the project in which one file at a time is changed, and a judge of its tests."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="mutants-"))
        shutil.copytree(ROOT, self.path, dirs_exist_ok=True, ignore=_ignored)
        # By content: two mutants within a second may have the same size.
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.path / "src", quiet=1, invalidation_mode=by_content)
        self._environment = os.environ | {
            "PYTHONPATH": str(self.path / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._judge: subprocess.Popen[str] | None = None

    def fails(self, asked: str, *words: object) -> bool:
        """Say whether tests fail on the code as it is now: judge.py has what can be asked."""
        if self._judge is None:
            self._judge = subprocess.Popen(
                [sys.executable, JUDGE],
                cwd=self.path,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._judge.stdin is not None
        assert self._judge.stdout is not None
        print(json.dumps([asked, *words], default=str), file=self._judge.stdin, flush=True)
        answer = self._judge.stdout.readline()
        if answer not in ("0\n", "1\n"):
            sys.exit(f"mutants: the judge ended with {self._judge.wait()}")
        return answer == "1\n"

    def catches(self, file: str, text: str, seconds: dict[str, float]) -> bool:
        """Say whether tests, which take `seconds`, fail or never end where `file` says `text`."""
        path = self.path / file
        whole = path.read_text()
        path.write_text(text)
        try:
            # Most are caught by the first few: the files of the others need not be imported.
            parts = (list(seconds)[:FIRST], list(seconds)) if seconds else ()
            return any(self.fails("fails", _patience(seconds, part), *part) for part in parts)
        finally:
            path.write_text(whole)

    def remove(self) -> None:
        """Let the judge go, and take away the copy."""
        if self._judge is not None:
            self._judge.kill()
            self._judge.wait()
        shutil.rmtree(self.path)


def _patience(seconds: dict[str, float], tests: list[str]) -> float:
    wanted = sum(seconds[test] for test in tests)
    return min(MORE_SECONDS + TIMES * wanted, MOST_SECONDS)


class Trees:
    """A tree for each thread."""

    def __init__(self) -> None:
        self._trees: dict[int, Tree] = {}

    @property
    def mine(self) -> Tree:
        """The tree of this thread."""
        thread = threading.get_ident()
        if thread not in self._trees:
            self._trees[thread] = Tree()
        return self._trees[thread]

    def remove(self) -> None:
        """Take all of them away."""
        for tree in self._trees.values():
            tree.remove()


def _ignored(folder: str, names: list[str]) -> set[str]:
    made = shutil.ignore_patterns(".*", "__pycache__")(folder, names)
    return made | ({"runs", "studies", "audit", "bench"} if Path(folder) == ROOT else set())


class Tests:
    """The tests of each module: how long they take, and which lines they run."""

    def __init__(self, names: list[str], trees: Trees) -> None:
        """Measure the tests of files `names`, but where that was done for this code and file."""
        sources = sorted((ROOT / "src").rglob("*.py"))
        code = hashlib.sha256(b"".join(one.read_bytes() for one in sources))
        files = {name: _measured(code, name) for name in names}
        missing = [name for name in names if not files[name].exists()]

        def failing(name: str) -> list[str]:
            out = files[name].with_suffix(".new")
            words = (MEASURING_SECONDS, f"tests/{name}.py", out)
            if not trees.mine.fails("measure", *words):
                out.rename(files[name])
                return []
            return json.loads(out.read_text())["failed"] if out.exists() else [name]

        if failed := [test for tests in side_by_side(failing, missing) for test in tests]:
            sys.exit(f"mutants: tests fail without a mutant: {', '.join(failed)}")
        self._measured = {name: json.loads(file.read_text()) for name, file in files.items()}
        self._files = files

    def version(self, mutant: Mutant) -> str:
        """Return what changes with the code and with the tests of a mutant."""
        names = " ".join(self._files[name].stem for name in tests_of(mutant.file))
        return hashlib.sha256(names.encode()).hexdigest()

    def of(self, mutant: Mutant) -> dict[str, float]:
        """Return the tests that may see `mutant`, the quick ones first, and their seconds.

        They are those that run its line; where that runs at import, those that run any line of its
        file, and whatever is quick, as it may look at what was made then; where none does so in its
        own process, all of its part.
        """
        seconds: dict[str, float] = {}
        running: set[str] = set()
        for name in tests_of(mutant.file):
            one = self._measured[name]
            seconds |= one["seconds"]
            lines = one["lines"].get(mutant.file, {})
            wanted = [str(mutant.line)] if mutant.in_function else lines
            running.update(*(lines.get(line, ()) for line in wanted))
            if not mutant.in_function:
                running.update(test for test in one["seconds"] if seconds[test] < QUICK_SECONDS)
        all_asked = {test for test in seconds if seconds[test] <= SLOWEST_SECONDS}
        found = sorted(all_asked & running or all_asked, key=lambda test: seconds[test])
        return {test: seconds[test] for test in found}


def _measured(code: hashlib._Hash, name: str) -> Path:
    of_file = code.copy()
    of_file.update((ROOT / "tests" / f"{name}.py").read_bytes())
    return KEPT / f"{name}-{of_file.hexdigest()[:16]}.json"


def tests_of(file: str) -> tuple[str, ...]:
    """Return the files of tests that are of the module `file`."""
    within = file.removeprefix(f"{PACKAGE}/")
    return next(names for part, names in TESTS.items() if within.startswith(part))


def judged(mutant: Mutant, text: str, tests: Tests, trees: Trees, known: set[str]) -> bool:
    """Say whether the tests catch a mutant, where `known` does not say so."""
    key = hashlib.sha256(f"{mutant.file}\n{text}".encode()).hexdigest()
    survived = f"{key} {tests.version(mutant)}"
    if key in known or survived in known:
        return key in known
    caught = trees.mine.catches(mutant.file, text, tests.of(mutant))
    words, file, line = ("caught  ", CAUGHT, key) if caught else ("SURVIVED", SURVIVED, survived)
    print(words, mutant.file, mutant.line, mutant.before, mutant.after, sep="  ", flush=True)
    with file.open("a") as opened:
        print(line, file=opened)
    return caught


def main() -> None:
    """Seed faults, run tests, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    files = [
        file.relative_to(ROOT)
        for part in options.only
        for file in sorted(
            (ROOT / PACKAGE).glob(part if part.endswith(".py") else f"{part}/**/*.py")
        )
    ]
    here = [one for one in files if str(one.relative_to(PACKAGE)) not in NOT_HERE]
    every = [mutant for file in here for mutant in all_mutants(ROOT, file)]
    drawn = random.Random(options.seed).sample(every, min(options.mutants, len(every)))
    chosen = [mutant for mutant in drawn if not mutant[0].changes_nothing]
    KEPT.mkdir(parents=True, exist_ok=True)
    known: set[str] = set()
    for file in (CAUGHT, SURVIVED):
        if not options.resume:
            file.write_text("")
        known |= set(file.read_text().splitlines()) if file.exists() else set()
    trees = Trees()
    try:
        tests = Tests(sorted({name for one, _ in chosen for name in tests_of(one.file)}), trees)
        results = side_by_side(lambda one: judged(*one, tests, trees, known), chosen)
    finally:
        trees.remove()
    survivors = [asdict(one) for (one, _), good in zip(chosen, results, strict=True) if not good]
    by_part: dict[str, Counter[str]] = {}
    for (one, _), good in zip(chosen, results, strict=True):
        part = one.file.removeprefix(f"{PACKAGE}/").partition("/")[0]
        by_part.setdefault(part, Counter())["caught" if good else "survived"] += 1
    told = {
        "seed": options.seed,
        "mutants": len(chosen),
        "caught": sum(results),
        "by_part": {part: dict(count) for part, count in sorted(by_part.items())},
        "survivors": survivors,
    }
    # A few modules are no result: they took the place of the whole once.
    if options.only == MODULES:
        write_result("mutants", told)
    print(f"{sum(results)} of {len(chosen)} caught")


if __name__ == "__main__":
    main()
