"""Measure the explorer's pages in Debian's chromium: size, opening, speed, and every test picture.

First each page alone: bytes, seconds to its first answer, milliseconds a pass (the median of 50),
and frames while somebody draws. Then all 10,000 test pictures through each, beside PyTorch's
answers.

Networks that were measured before and are not named now keep their figures.

Usage: python benchmarks/explorer.py RUN... [--pictures 10000]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

from fashioncnn.opening.runs import open_runs
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of
from fashioncnn.workflows.explore import explore
from shared import RESULTS, write_result

PASSES, AT_ONCE, DRAWING_SECONDS = 50, 250, 5.0
LOGITS = """([pixels, count]) => {
  window.measured ??= new Networks.Network(
    JSON.parse(document.getElementById("data").textContent).networks[0].program);
  const all = Networks.bytesOf(pixels);
  const size = all.length / count;
  return Array.from({ length: count }, (_, at) => Array.from(
    measured.run(all.subarray(at * size, (at + 1) * size)).get("logits").data));
}"""
COUNT_FRAMES = """() => {
  window.frames_seen = [];
  const seen = (now) => { frames_seen.push(now); requestAnimationFrame(seen); };
  requestAnimationFrame(seen);
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield Debian's chromium, without a screen."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_page(browser: Browser, file: Path) -> tuple[Page, float]:
    """Return the page, and the seconds until it has answered its first picture."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.perf_counter()
    tab.goto(file.as_uri())
    while not tab.evaluate("document.querySelector('.said')?.textContent ?? ''"):
        time.sleep(0.005)
    return tab, time.perf_counter() - started


def passes(tab: Page) -> float:
    """Return the median milliseconds of one pass with all feature maps, in the worker."""
    while not tab.evaluate("Boolean(Live.surveyed(0, 'training'))"):
        time.sleep(0.2)
    found = []
    for _ in range(PASSES):
        tab.evaluate("Live.results[0] = undefined; Live.run()")
        while (ms := tab.evaluate("Live.results[0]?.ms")) is None:
            time.sleep(0.002)
        found.append(ms)
    return float(statistics.median(found))


def frames(tab: Page) -> dict[str, float]:
    """Return how many frames a second there are while somebody draws."""
    box = tab.locator("#pad").bounding_box()
    assert box
    tab.evaluate(COUNT_FRAMES)
    tab.mouse.move(box["x"] + 20, box["y"] + 20)
    tab.mouse.down()
    end, at = time.monotonic() + DRAWING_SECONDS, 0
    while time.monotonic() < end:
        at += 1
        angle = at / 7
        tab.mouse.move(
            box["x"] + box["width"] * (0.5 + 0.35 * np.cos(angle)),
            box["y"] + box["height"] * (0.5 + 0.35 * np.sin(1.3 * angle)),
        )
        time.sleep(0.008)
    tab.mouse.up()
    apart = np.diff(tab.evaluate("frames_seen"))
    return {
        "frames_per_second": float(1000 / apart.mean()),
        "frames": len(apart),
        "share_within_17_ms": float((apart < 17.5).mean()),
        "strokes": at,
    }


def exactness(run: Path, file: Path, count: int) -> dict[str, Any]:
    """Return how far the page's answers on test pictures lie from PyTorch's."""
    trained = open_evaluated(run)
    images = trained.data.test.images_NHWC[:count]
    rows: list[list[float]] = []
    with chromium() as browser:
        tab, _ = open_page(browser, file)
        for start in range(0, count, AT_ONCE):
            part = images[start : start + AT_ONCE]
            text = base64.b64encode(np.ascontiguousarray(part).tobytes()).decode()
            rows += tab.evaluate(LOGITS, [text, len(part)])
    here = _probabilities(np.array(rows), trained.temperature)
    there = _probabilities(predictions_of(trained).logits[:count], trained.temperature)
    apart = np.abs(here - there).max(1)
    return {
        "pictures": count,
        "largest_difference": float(apart.max()),
        "99.9_percent_below": float(np.quantile(apart, 0.999)),
        "changed_answers": int((here.argmax(1) != there.argmax(1)).sum()),
    }


def _probabilities(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def main() -> None:
    """Measure all of it, and write explorer.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--pictures", type=int, default=10_000)
    given = parser.parse_args()
    kept = RESULTS / "explorer.json"
    before = json.loads(kept.read_text())["networks"] if kept.exists() else {}
    opened = [open_evaluated(run) for run in open_runs(given.runs)]
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        files = {}
        for at, trained in enumerate(opened):
            name = trained.recipe.name
            files[name] = explore(trained.run, Path(scratch) / f"{at}.html", data=trained.data)
            with chromium() as browser:
                version = browser.version
                tab, seconds = open_page(browser, files[name])
                found[name] = {
                    "parameters": sum(one.numel() for one in trained.network.parameters()),
                    "bytes": files[name].stat().st_size,
                    "seconds_to_first_answer": seconds,
                    "milliseconds_a_pass": passes(tab),
                    "drawing": frames(tab),
                }
        jobs = [(one.run.path, files[one.recipe.name], given.pictures) for one in opened]
        # A process each: a browser takes one core.
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            exact = pool.map(exactness, *zip(*jobs, strict=True))
            for name, told in zip(found, exact, strict=True):
                found[name] |= told
                print(name, found[name], flush=True)
    write_result(
        "explorer",
        {
            "command": f"python benchmarks/explorer.py RUN... --pictures {given.pictures}",
            "chromium": version,
            "networks": before | found,
        },
    )


if __name__ == "__main__":
    main()
