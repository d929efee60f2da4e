"""The page of a study: the best settings, what each key is worth, everything that was tried."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from fashioncnn.errors import RunError
from fashioncnn.reporting.figures import study as figures
from fashioncnn.reporting.figures.figure_files import keep
from fashioncnn.reporting.html import picture, write_page
from fashioncnn.runs.files import read_json

CAPTIONS = {
    "history": "Every setting in the order of trying. Crosses were given up early, at the accuracy "
    "that they had by then; settings far below the others may lie outside.",
    "parallel": "A line a setting, through the value of every key: bright lines are the best.",
    "slices": "Accuracy against the values of one key at a time; the other keys differ within a "
    "column.",
    "importance": "How much of the spread of accuracy each key explains, by functional ANOVA on "
    "random forests (Hutter et al., ICML 2014). It says what matters, not which value is best.",
}


def write(folder: Path, page: Path) -> Path:
    """Draw what the files of the study in `folder` say and write `page`; returns its path.

    Raises RunError when they are missing or damaged.
    """
    found, ranking = read_json(folder / "trials.json"), read_json(folder / "ranking.json")
    try:
        trials, keys, shares = found["trials"], found["keys"], found["importance"]
        ranks, values = ranking["ranks"], ranking["values"]
    except (KeyError, TypeError):
        raise RunError(f"{folder}: trials.json and ranking.json are not of a study") from None
    makers: dict[str, Callable[[], Figure]] = {
        "parallel": partial(figures.parallel, trials, keys),
        "slices": partial(figures.slices, trials, keys),
        "history": partial(figures.history, trials),
    }
    if shares:
        makers["importance"] = partial(figures.importance, shares)
    return write_page(
        "study.html.j2",
        page,
        found=found,
        keys=keys,
        ranks=ranks,
        values=values,
        best=ranks[0],
        ties=[one for one in ranks[1:] if not one["distinguishable"]],
        pruned=[one for one in trials if not one["complete"]],
        figures={
            name: picture(keep(name, make, folder / "figures"), CAPTIONS[name])
            for name, make in makers.items()
        },
    )
