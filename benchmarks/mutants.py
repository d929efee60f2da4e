"""Show what the tests see: small faults are seeded into the code, and how many are caught.

Each mutant changes one expression of one module: a comparison, an operator, a constant, a
condition, a call left out, arguments exchanged. The tests of that module are run against a copy of
the tree; a mutant is caught where they fail. Survivors are listed for a person to judge: some
change nothing that can be seen. Run by hand: 500 take about two hours on two cores. Writes
results/mutants.json. With --resume, those that were caught before (bench/mutants.txt) are not asked
again: survivors are, by the tests as they are then.

Usage: python benchmarks/mutants.py [--mutants 500] [--seed 0] [--only MODULE…] [--resume]
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from shared import ROOT, side_by_side, write_result

PACKAGE = Path("src/fashioncnn")
CAUGHT = ROOT / "bench" / "mutants.txt"
TIMEOUT_SECONDS = 400
# Functions that answer the same when their first two arguments are exchanged.
SYMMETRIC = ("min(", "max(", "torch.minimum(", "torch.maximum(", "np.minimum(", "np.maximum(")
# The tests that are of each part of the code: the first that matches.
TESTS: dict[str, tuple[str, ...]] = {
    "data/augmentations": (
        "test_augmentations",
        "test_redrawn",
        "test_counterexamples",
        "test_batches",
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
    "data/splits.py": ("test_splits", "test_real_data"),
    "data/duplicates.py": ("test_audit",),
    "data": ("test_batches", "test_augmentations", "test_ensemble", "test_train", "test_data_sets"),
    "models/own.py": ("test_own_parts", "test_check"),
    "models": ("test_models", "test_registries", "test_ensemble", "test_recipes"),
    "training/losses": ("test_training_parts", "test_counterexamples", "test_registries"),
    "training": (
        *("test_training_parts", "test_ensemble", "test_counterexamples", "test_train"),
        *("test_checkpoints", "test_together"),
    ),
    "evaluation/answers.py": ("test_sureness", "test_predict", "test_evaluate_report"),
    "evaluation/as_photographed.py": ("test_sureness", "test_evaluate_report"),
    "evaluation/sureness.py": ("test_sureness", "test_predict"),
    "evaluation/corruptions.py": ("test_stress",),
    "evaluation/out_of_distribution.py": ("test_stress",),
    "evaluation/label_candidates.py": ("test_audit",),
    "evaluation/class_groups.py": ("test_class_groups",),
    "evaluation": (
        *("test_scores", "test_intervals", "test_compare", "test_stress"),
        *("test_ensemble", "test_evaluate_report"),
    ),
    "explanation": ("test_attributions", "test_units"),
    "runs": (
        *("test_checkpoints", "test_durability", "test_bounds", "test_stress"),
        *("test_artifacts", "test_train", "test_evaluate_report"),
    ),
    "recipes/code.py": ("test_own_parts",),
    "recipes": ("test_recipes", "test_registries", "test_data_sets"),
    "tuning": ("test_space", "test_journal", "test_tune"),
}
# Without a GPU, its tests are skipped.
NOT_HERE = ("training/cuda_graphs.py",)
MODULES = (
    *("data", "training", "evaluation", "runs", "recipes", "tuning", "models"),
    "explanation/checks.py",
)
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.MatMult: ast.Mult,
}


@dataclass(frozen=True)
class Mutant:
    """One fault: the file, the line, and what stands there now."""

    file: str
    line: int
    before: str
    after: str

    @property
    def changes_nothing(self) -> bool:
        """Whether it says the same as before."""
        exchanged = self.before.startswith(SYMMETRIC) and self.after.startswith(SYMMETRIC)
        return exchanged or self.before == self.after


def mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` with one fault each; nothing for what has none to offer."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield _with(node, ops=[COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield _with(node, op=OPERATORS[type(node.op)]())
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        yield node.values[0]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    if isinstance(node, ast.Constant) and _is_number(node.value):
        assert isinstance(node.value, int | float)
        yield ast.Constant(node.value + 1)
        if node.value:
            yield ast.Constant(0)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()
    if isinstance(node, ast.Raise | ast.AugAssign):
        yield ast.Pass()
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    if isinstance(node, ast.Return) and node.value is not None:
        yield _with(node, value=ast.Constant(None))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def all_mutants(file: Path) -> Iterator[tuple[Mutant, str]]:
    """Yield every mutant of `file` with the whole text that it then has."""
    tree = ast.parse((ROOT / file).read_text())
    places = [
        (parent, name, at, node)
        for parent in ast.walk(tree)
        for name, value in ast.iter_fields(parent)
        for at, node in enumerate(value if isinstance(value, list) else [value])
        if isinstance(node, ast.AST) and hasattr(node, "lineno") and not _is_annotation(name)
    ]
    for parent, name, at, node in places:
        for changed in mutations(node):
            ast.copy_location(changed, node)
            held = getattr(parent, name)
            _put(parent, name, at, changed)
            try:
                text = ast.unparse(ast.fix_missing_locations(tree))
            finally:
                if isinstance(held, list):
                    held[at] = node
                else:
                    setattr(parent, name, node)
            words = (ast.unparse(one).splitlines()[0][:80] for one in (node, changed))
            yield Mutant(str(file), node.lineno, *words), text  # type: ignore[attr-defined]


def _is_annotation(name: str) -> bool:
    return name in ("annotation", "returns", "decorator_list")


def _put(parent: ast.AST, name: str, at: int, node: ast.AST) -> None:
    held = getattr(parent, name)
    if isinstance(held, list):
        held[at] = node
    else:
        setattr(parent, name, node)


def tests_of(file: str) -> tuple[str, ...]:
    """Return the tests that are of the module `file`."""
    within = file.removeprefix(f"{PACKAGE}/")
    return next(names for part, names in TESTS.items() if within.startswith(part))


def caught(mutant: tuple[Mutant, str], trees: dict[int, Path], known: set[str]) -> bool:
    """Run the tests of a mutant in this thread's copy of the tree; say whether they fail.

    Those of `known` did before.
    """
    one, text = mutant
    if (key := _key(mutant)) in known:
        return True
    thread = threading.get_ident()
    if thread not in trees:
        trees[thread] = _copy()
    file = trees[thread] / one.file
    whole = file.read_text()
    file.write_text(text)
    try:
        failed = fails(tests_of(one.file), trees[thread])
    finally:
        file.write_text(whole)
    print("caught  " if failed else "SURVIVED", *asdict(one).values(), sep="  ", flush=True)
    if failed:
        with CAUGHT.open("a") as file_of_caught:
            file_of_caught.write(f"{key}\n")
    return failed


def _key(mutant: tuple[Mutant, str]) -> str:
    one, text = mutant
    return hashlib.sha256(f"{one.file}\n{text}".encode()).hexdigest()


def fails(tests: Iterable[str], tree: Path) -> bool:
    """Say whether `tests` fail on the code in `tree`, or never end."""
    names = [f"tests/{name}.py" for name in tests]
    words = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not alone", *names]
    environment = os.environ | {"PYTHONPATH": str(tree / "src"), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tree,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def _copy() -> Path:
    tree = Path(tempfile.mkdtemp(prefix="mutants-"))
    shutil.copytree(ROOT, tree, dirs_exist_ok=True, ignore=_ignored)
    return tree


def _ignored(folder: str, names: list[str]) -> set[str]:
    made = shutil.ignore_patterns(".*", "__pycache__")(folder, names)
    return made | ({"runs", "studies", "audit"} if Path(folder) == ROOT else set())


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
    every = [mutant for file in here for mutant in all_mutants(file)]
    drawn = random.Random(options.seed).sample(every, min(options.mutants, len(every)))
    chosen = [mutant for mutant in drawn if not mutant[0].changes_nothing]
    CAUGHT.parent.mkdir(exist_ok=True)
    if not options.resume:
        CAUGHT.write_text("")
    known = set(CAUGHT.read_text().split()) if CAUGHT.exists() else set()
    trees: dict[int, Path] = {}
    try:
        # Where tests fail on the code as it is, they say nothing of mutants.
        trees[0] = _copy()
        names = sorted(
            {name for one in chosen if _key(one) not in known for name in tests_of(one[0].file)}
        )
        failing = side_by_side(lambda name: fails([name], trees[0]), names)
        if any(failing):
            told = ", ".join(name for name, bad in zip(names, failing, strict=True) if bad)
            sys.exit(f"mutants: the tests fail without a mutant: {told}")
        results = side_by_side(partial(caught, trees=trees, known=known), chosen)
    finally:
        for tree in trees.values():
            shutil.rmtree(tree)
    survivors = [asdict(one) for (one, _), good in zip(chosen, results, strict=True) if not good]
    by_part: dict[str, Counter[str]] = {}
    for (one, _), good in zip(chosen, results, strict=True):
        part = one.file.removeprefix(f"{PACKAGE}/").partition("/")[0]
        by_part.setdefault(part, Counter())["caught" if good else "survived"] += 1
    write_result(
        "mutants",
        {
            "seed": options.seed,
            "mutants": len(chosen),
            "caught": sum(results),
            "by_part": {part: dict(count) for part, count in sorted(by_part.items())},
            "survivors": survivors,
        },
    )
    print(f"{sum(results)} of {len(chosen)} caught")


if __name__ == "__main__":
    main()
