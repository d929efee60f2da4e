"""Show which pictures look drawn to the conversion: photographs, garments cut out, drawings.

FOLDER is that of photographs.py. Its photographs are looked at as they are, and with their garment
laid on white and on light grey, as shops show it; text and windows of drawn_photographs.py as they
are drawn, and as JPEG of quality 80 and 60. Writes results/told-by-look.json.

Usage: python benchmarks/told_by_look.py FOLDER
"""

from __future__ import annotations

import argparse
import io
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from drawn_photographs import OTHERS, UInt8
from fashioncnn.photos.convert import convert
from fashioncnn.photos.drawn import looks_drawn
from fashioncnn.photos.files import read_picture
from fashioncnn.photos.pictures import PHOTOGRAPH_SIDE
from shared import write_result

GROUNDS = {"on white": 255, "on light grey": 232}
SHOP_QUALITY = 85
DRAWN = 100
# Other than those that photographs.py asks networks about.
SEED = 1


def main() -> None:
    """Look at all, print how many look drawn, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    photographs = sorted(path for path in folder.glob("*/*") if path.is_file())
    if not photographs:
        parser.error(f"{folder} has no folder of photographs")
    found: dict[str, list[bool]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for answers in pool.map(_photograph, photographs):
            for kind, drawn in answers.items():
                found.setdefault(kind, []).append(drawn)
    for name in ("text", "screenshot"):
        random = np.random.default_rng(SEED)
        for _ in range(DRAWN):
            picture = OTHERS[name](random)
            found.setdefault(name, []).append(looks_drawn(_rgb(picture)))
            for quality in (80, 60):
                kind = f"{name}, JPEG {quality}"
                found.setdefault(kind, []).append(looks_drawn(_rgb(_saved(picture, quality))))
    tally = {kind: {"drawn": sum(all_), "of": len(all_)} for kind, all_ in found.items()}
    write_result(
        "told-by-look", {"kinds": tally, "command": "python benchmarks/told_by_look.py FOLDER"}
    )
    for kind, one in tally.items():
        print(f"{kind}: {one['drawn']} of {one['of']}")


def _photograph(path: Path) -> dict[str, bool]:
    """Say whether a photograph, and its garment on other grounds, look drawn."""
    photo = read_picture(path, PHOTOGRAPH_SIDE)
    rgb_HWC = _rgb(photo)
    outline = convert(photo).outline
    height, width = rgb_HWC.shape[:2]
    alpha = cv2.resize(outline.astype(np.float32), (width, height))[..., None]
    answers = {"photographs": looks_drawn(rgb_HWC)}
    for words, level in GROUNDS.items():
        laid = np.asarray(rgb_HWC * alpha + level * (1 - alpha), np.uint8)
        shown = _saved(Image.fromarray(laid), SHOP_QUALITY)
        answers[f"garments {words}"] = looks_drawn(_rgb(shown))
    return answers


def _rgb(picture: Image.Image) -> UInt8:
    return np.asarray(picture.convert("RGB"))


def _saved(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


if __name__ == "__main__":
    main()
