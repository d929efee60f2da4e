"""Show that no file, however damaged or hostile, ends in a traceback, a hang, or all the memory.

Trains a tiny recipe on synthetic pictures, then damages one file at a time, at random from a seed:
bytes are flipped, cut, doubled and exchanged, values of JSON replaced, arrays altered in files that
are whole; digests are made anew where there are any. Each mutant is read as a verb reads it. Writes
results/fuzz.json with the tally.

Usage: python benchmarks/fuzz.py [--mutants 2000] [--seed 0]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from shared import ROOT, write_result

sys.path.insert(0, str(ROOT / "tests"))

import pytest

import fashioncnn as fc
from conftest import TINY_RECIPE, make_pictures, use_tiny_data
from fashioncnn.console.say import say_as_much
from fashioncnn.data import identity
from fashioncnn.data.idx import read_idx, write_idx
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.data.unlabelled import read_pictures
from fashioncnn.errors import FashionCNNError
from fashioncnn.opening.scored import scored_run
from fashioncnn.opening.trained import open_trained
from fashioncnn.recipes.build import build_state
from fashioncnn.recipes.load import load
from fashioncnn.reporting.groups import groups
from fashioncnn.reporting.run_document import run_document
from fashioncnn.runs import checkpoints
from fashioncnn.runs.directory import Run

Mutate = Callable[[bytes, random.Random], bytes]

MAX_SECONDS = 5.0
MAX_MIB = 512
HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 1e308, -0.5, "", "x" * 1000, "../../etc/passwd", [], {}, [[]], [None],
    {"a": 1}, "NaN",
)  # fmt: skip


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """Return `content` with something wrong."""
    mutant = bytearray(content)
    kind = chance.randrange(5)
    if not mutant or kind == 0:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(200)))
    if kind == 1:
        del mutant[chance.randrange(len(mutant)) :]
    elif kind == 2:
        at, length = chance.randrange(len(mutant)), chance.randrange(1, 64)
        mutant[at:at] = mutant[at : at + length] * chance.randrange(1, 50)
    else:
        for _ in range(chance.choice((1, 1, 4, 40))):
            mutant[chance.randrange(len(mutant))] = chance.randrange(256)
    return bytes(mutant)


def mutate_json(content: bytes, chance: random.Random) -> bytes:
    """Return JSON, or lines of it, with one value replaced or missing; at times bytes instead."""
    if chance.random() < 0.3:
        return mutate_bytes(content, chance)
    lines = content.split(b"\n") if content.count(b"\n{") else [content]
    at = chance.randrange(len([line for line in lines if line.strip()]))
    whole = json.loads(lines[at])
    places: list[tuple[Any, Any]] = []
    left = [whole]
    while left:
        one = left.pop()
        keys = one if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            places.append((one, key))
            left.append(one[key])
    holder, key = chance.choice(places)
    if chance.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = chance.choice(HOSTILE)
    lines[at] = json.dumps(whole).encode()
    return b"\n".join(lines)


def alter_arrays(content: bytes, chance: random.Random) -> bytes:
    """Return a whole .npz in which one array is not what it should be."""
    with np.load(io.BytesIO(content)) as found:
        arrays = dict(found)
    name = chance.choice(list(arrays))
    values = arrays[name]
    altered = [np.array("text"), values.astype(str), values[None]]
    if values.ndim:
        altered += [values[:0], values[..., :0], values[:1], np.concatenate([values, values])]
    if values.dtype.kind in "fiu":
        least = np.finfo(values.dtype) if values.dtype.kind == "f" else np.iinfo(values.dtype)
        altered += [values * 0, np.full_like(values, least.max), np.full_like(values, least.min)]
    if values.dtype.kind == "f":
        altered += [-values, np.full_like(values, np.nan), np.full_like(values, 1e15)]
    arrays[name] = chance.choice(altered)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def reseal(run: Run, chance: random.Random) -> None:
    """Damage a checkpoint and make its digests anew."""
    file = run.checkpoints / "best.json"
    facts = json.loads(file.read_text())
    facts.pop("sha256")
    if chance.random() < 0.5:
        path = run.checkpoints / facts["tensors"]
        packed = mutate_bytes(path.read_bytes(), chance)
        if chance.random() < 0.5:
            # Within the header, where names, types and places are.
            whole = path.read_bytes()
            end = 8 + int.from_bytes(whole[:8], "little")
            header = mutate_bytes(whole[8:end], chance)
            packed = len(header).to_bytes(8, "little") + header + whole[end:]
        path.write_bytes(packed)
        facts["tensors_sha256"] = hashlib.sha256(packed).hexdigest()
    else:
        mutant = mutate_json(json.dumps(facts).encode(), chance)
        try:
            facts = json.loads(mutant)
        except ValueError:
            file.write_bytes(mutant)
            return
    if isinstance(facts, dict):
        facts["sha256"] = checkpoints.digest(facts)
    file.write_text(json.dumps(facts))


def open_checkpoint(run: Run) -> None:
    """Read the best checkpoint as evaluation does, and the same as resuming does."""
    trained = open_trained(run, "best", device="cpu")
    saved = checkpoints.load(run.checkpoints, "best")
    state = build_state(trained.recipe, 10, 0, trained.device, 500)
    state.restore(saved.tensors, saved.values)
    _ = trained.network


def open_page(run: Run) -> None:
    """Read a run as its page does, up to the document."""
    trained = open_trained(run, "best", device="cpu")
    (group,) = groups([scored_run(trained)])
    run_document(group)


def read_grey(path: Path) -> object:
    """Read pictures of Fashion-MNIST's size."""
    return read_pictures(path, height=28, width=28, channels=1)


def main() -> None:
    """Damage, read, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    say_as_much(-1)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        data = Path(name) / "tiny.npz"
        write_npz(data, {"train": make_pictures(600, 0), "test": make_pictures(200, 1)})
        use_tiny_data(patch, data)
        tally = fuzz(Path(name), options.mutants, random.Random(options.seed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {"seed": options.seed, "tally": tally, "peak_memory_mib": round(peak)}
    write_result("fuzz", result)
    print(json.dumps(result, indent=2))
    bad = sum(count for kind, count in tally["outcomes"].items() if kind not in GOOD)
    sys.exit(1 if bad or peak > MAX_MIB else 0)


GOOD = ("read", "one clear line")


def fuzz(folder: Path, mutants: int, chance: random.Random) -> dict[str, Any]:
    """Return how the mutants ended, by outcome and by file."""
    cases = make_cases(folder)
    outcomes: Counter[str] = Counter()
    by_file: dict[str, Counter[str]] = {name: Counter() for name in cases}
    slowest = 0.0
    for number in range(mutants):
        name = list(cases)[number % len(cases)]
        started = time.perf_counter()
        outcome, words = once(cases[name], chance)
        seconds = time.perf_counter() - started
        slowest = max(slowest, seconds)
        if seconds > MAX_SECONDS:
            outcome = "slow"
        if outcome not in GOOD:
            print(f"{name}, mutant {number}: {outcome}: {words}", flush=True)
        outcomes[outcome] += 1
        by_file[name][outcome] += 1
    files = {name: dict(count) for name, count in by_file.items()}
    return {"outcomes": dict(outcomes), "by_file": files, "slowest_seconds": round(slowest, 2)}


def once(case: Callable[[random.Random], None], chance: random.Random) -> tuple[str, str]:
    """Try one mutant; return how it ended, and what was said."""
    try:
        case(chance)
    except FashionCNNError as error:
        words = str(error)
        lines = words.splitlines()
        # A recipe tells its faults a line each.
        brief = len(lines) == 1 or lines[0].startswith("recipe ")
        return ("one clear line" if brief and len(words) < 5000 else "many words"), words[:200]
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"[:300]
    return "read", ""


def in_a_process_of_its_own(make: Callable[[Path], Path], recipe: Path) -> Path:
    """Return what `make` returns, whose memory is then not counted as that of reading."""
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        return pool.submit(make, recipe).result()


def make_run(recipe: Path) -> Path:
    """Train and report."""
    whole = fc.train(recipe, out=recipe.parent / "runs", device="cpu").path
    fc.report(whole, full=True, device="cpu")
    return whole


def make_cases(folder: Path) -> dict[str, Callable[[random.Random], None]]:
    """Return what damages and reads each kind of file, by name."""
    recipe = folder / "tiny.toml"
    recipe.write_text(TINY_RECIPE)
    whole = in_a_process_of_its_own(make_run, recipe)
    mutant = folder / "mutant"

    def of_run(
        damage: Callable[[Run, random.Random], None], read: Callable[[Run], None]
    ) -> Callable[[random.Random], None]:
        def case(chance: random.Random) -> None:
            shutil.rmtree(mutant, ignore_errors=True)
            ignored = shutil.ignore_patterns("figures", "report.*", "snapshots")
            run = Run(Path(shutil.copytree(whole, mutant, ignore=ignored)))
            damage(run, chance)
            read(run)

        return case

    def of_file(path: Path, mutate: Mutate) -> Callable[[Run, random.Random], None]:
        def damage(run: Run, chance: random.Random) -> None:
            file = run.path / path
            file.write_bytes(mutate(file.read_bytes(), chance))

        return damage

    files = [path.relative_to(whole) for path in sorted(whole.rglob("*")) if path.is_file()]
    read_by_pages = [
        path
        for path in files
        if path.parts[0] in ("evaluation", "explanations") or len(path.parts) == 1
    ]
    cases = {
        str(path): of_run(
            of_file(path, mutate_json if path.suffix in (".json", ".jsonl") else mutate_bytes),
            open_page,
        )
        for path in read_by_pages
        if path.suffix in (".json", ".jsonl", ".npz", ".toml") and path.stem != "report"
    }
    cases |= {
        f"{path}, arrays altered": of_run(of_file(path, alter_arrays), open_page)
        for path in read_by_pages
        if path.suffix == ".npz"
    }
    cases["checkpoints, digests made anew"] = of_run(reseal, open_checkpoint)
    return cases | outside_cases(folder)


def outside_cases(folder: Path) -> dict[str, Callable[[random.Random], None]]:
    """Return the cases of files that are not of a run: recipes, IDX files, pictures."""
    elements = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    idx = folder / "idx"
    write_idx(idx, elements)
    plain = idx.read_bytes()
    cases: dict[str, Callable[[random.Random], None]] = {}

    def of_content(
        name: str, content: bytes, read: Callable[[Path], object]
    ) -> Callable[[random.Random], None]:
        path = folder / name

        def case(chance: random.Random) -> None:
            path.write_bytes(mutate_bytes(content, chance))
            read(path)

        return case

    cases["recipe"] = of_content("mutant.toml", TINY_RECIPE.encode(), load)
    for name, content in (("IDX", plain), ("IDX, gzipped", gzip.compress(plain))):
        cases[name] = of_content("mutant-idx3-ubyte", content, read_grey)
        cases[f"{name}, of the set"] = of_content(
            "mutant-idx", content, lambda path: read_idx(path, shapes=identity.SHAPES)
        )
    for suffix in ("png", "jpg", "webp", "gif", "bmp", "tiff"):
        picture = folder / f"whole.{suffix}"
        Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)).save(picture)
        cases[suffix] = of_content(f"mutant.{suffix}", picture.read_bytes(), read_grey)
    return cases


if __name__ == "__main__":
    main()
