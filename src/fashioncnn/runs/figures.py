"""The figures of a run, by name: each shows itself in a notebook."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A figure as `report` and `explain` drew it; `path` is its PNG."""

    path: Path

    def _repr_png_(self) -> bytes:
        return self.path.read_bytes()


class Figures(Mapping[str, Figure]):
    """What lies in `folder`, without its ending: figures["confusion_matrix"]."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> Figure:
        """Raises KeyError with what there is, and with how figures come about."""
        path = self.folder / f"{name}.png"
        if name not in set(self):
            there = list(self)
            near = difflib.get_close_matches(name, there, 1)
            hint = (
                f"did you mean {near[0]!r}" if near else f"there are {', '.join(there) or 'none'}"
            )
            raise KeyError(f"no figure {name!r}; {hint}; fc.report and fc.explain draw them")
        return Figure(path)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self.folder.glob("*.png")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Figures({', '.join(self)})"
