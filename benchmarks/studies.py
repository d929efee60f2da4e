"""Questions that several seeds of several variants of a recipe answer, on the test pictures.

Each variant is a recipe with something changed, trained with seeds 0, 1, …; trainings run on one
thread each, as many at a time as there are cores. Runs lie in runs/studies; started again, the
script goes on with them. Test is read once a run. Writes docs/findings/<study>.md and its page.

Usage: python benchmarks/studies.py [STUDY…] [--seeds 5]
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fashioncnn.evaluation.intervals import Estimate
from fashioncnn.evaluation.paired import holm
from fashioncnn.evaluation.run_groups import differences
from fashioncnn.opening.scored import scored_run
from fashioncnn.recipes.load import dump, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.reporting.groups import Group
from fashioncnn.reporting.html import write_page
from fashioncnn.runs.directory import runs_below
from fashioncnn.workflows.compare import compare_groups
from fashioncnn.workflows.evaluate import open_evaluated
from shared import DOCS, ROOT, mean_std, side_by_side, train_on_one_thread

RUNS = ROOT / "runs" / "studies"
# bf16 costs two-conv no accuracy (docs/lab-notes.md) and halves the time.
BF16 = ("training.precision=bf16",)
SHIRT = "augmentation.by_class.Shirt"


@dataclass(frozen=True)
class Study:
    """A question, and the changes of each variant by its name; the first is compared with."""

    title: str
    recipe: str
    variants: Mapping[str, Sequence[str]]
    remark: str = ""
    always: Sequence[str] = BF16

    def recipes(self) -> dict[str, Recipe]:
        """Return the recipe of each variant, called by the variant's name."""
        return {
            name: load(self.recipe, [f"name={name}", *self.always, *changes])
            for name, changes in self.variants.items()
        }


STUDIES = {
    "what-fixes-shirt": Study(
        "What fixes Shirt?",
        "two-conv",
        {
            "two-conv": (),
            "class-weights": ("loss.class_weights.Shirt=2.0",),
            "shirt-augmentation": (
                f"{SHIRT}.rotation_degrees=10.0",
                f"{SHIRT}.translation_pixels=2.0",
            ),
            "batch-norm": ("model.batch_norm=true",),
            "third-block": ("model.channels=[32, 64, 128]",),
            "dropout-half": ("model.dropout=0.5",),
        },
        "Turning and shifting Shirts further than all others ruins them: in training the traces of "
        "it become the sign of a Shirt, and Shirts of test have none, so that few are recalled. An "
        "augmentation has to be the same for classes that are to be told apart. Class weights buy "
        "recall with precision.",
    ),
    "flips-and-rotations": Study(
        "Do flips and rotations help?",
        "two-conv",
        {
            "two-conv": (),
            "flips-only": ("augmentation.rotation_degrees=0.0",),
            "rotations-only": ("augmentation.horizontal_flip_probability=0.0",),
            "neither": (
                "augmentation.rotation_degrees=0.0",
                "augmentation.horizontal_flip_probability=0.0",
            ),
        },
    ),
    "second-report": Study(
        "What the second report suggests",
        "three-conv",
        {
            "three-conv": (),
            "three-augmented": (
                "augmentation.horizontal_flip_probability=0.5",
                "augmentation.translation_pixels=1.0",
                "augmentation.rotation_degrees=5.0",
            ),
            "three-rate-three-times": ("optimizer.learning_rate=0.003",),
            "three-sgd": ("optimizer.name=sgd", "optimizer.learning_rate=0.1"),
            "three-batch-256": ("training.batch_size=256",),
            "three-dropout": ("model.dropout=0.3",),
            "three-deeper": ("model.channels=[32, 64, 128, 256]",),
        },
    ),
}


def train_all(recipes: Mapping[str, Recipe], seeds: int) -> None:
    """Train every recipe with every seed, seed by seed; what is there already stays."""

    def one(job: tuple[int, str]) -> None:
        seed, name = job
        file = str(RUNS / f"{name}.toml")
        words = ("--resume", "--seed", str(seed), "--out", str(RUNS))
        print(f"{name}, seed {seed}: {train_on_one_thread(file, *words)}", flush=True)

    RUNS.mkdir(parents=True, exist_ok=True)
    for name, recipe in recipes.items():
        (RUNS / f"{name}.toml").write_text(dump(recipe))
    side_by_side(one, [(seed, name) for seed in range(seeds) for name in recipes])


def publish(slug: str, study: Study, seeds: int) -> None:
    """Score, compare, and write the study's table, figure and page to docs."""
    runs = [
        [open_evaluated(run, device="cpu") for run in runs_below(RUNS / name)[:seeds]]
        for name in study.variants
    ]
    document = compare_groups(runs, title=study.title)
    figures = RUNS / "figures" / slug
    write_page(document, DOCS / f"{slug}.html", figures)
    # Programs find the same in runs/; the page is enough for people.
    (DOCS / f"{slug}.json").unlink()
    shutil.copy(figures / "effects.png", DOCS / f"{slug}.png")
    groups = [Group(tuple(scored_run(one) for one in group)) for group in runs]
    (DOCS / f"{slug}.md").write_text(table(slug, study, groups))


def table(slug: str, study: Study, found: Sequence[Group]) -> str:
    """Return the page with the table: accuracy and Shirt's F1 of each variant, and the effects."""
    runs = [[run.predictions for run in group.runs] for group in found]
    estimates = [differences(runs[0], others) for others in runs[1:]]
    metrics = ("test/accuracy", "test/f1/Shirt")
    adjusted = [holm([one[metric].p_value for one in estimates]) for metric in metrics]
    facts = found[0].first.provenance
    lines = [
        f"# {study.title}",
        "",
        f"`{study.recipe}` and what changes in each variant, {len(runs[0])} seeds of each, test "
        "pictures, in per cent: mean ± standard deviation over the seeds, then the difference from "
        "the first in points with its 95 % interval over pictures and seeds. An asterisk: below "
        f"5 % after Holm's correction for {len(estimates)} comparisons; intervals are not "
        "corrected, so that one may lie beside 0 without it.",
        "",
        "| variant | changes | accuracy | effect | Shirt F1 | effect | Shirt precision | recall |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for at, (name, changes) in enumerate(study.variants.items()):
        cells = [f"`{name}`", "; ".join(f"`{change}`" for change in changes) or "–"]
        for metric, p_values in zip(metrics, adjusted, strict=True):
            cells.append(_spread(found[at], metric))
            cells.append(_effect(estimates[at - 1][metric], p_values[at - 1]) if at else "–")
        cells += [_spread(found[at], f"test/{kind}/Shirt") for kind in ("precision", "recall")]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        *(
            _sentence(name, estimates[at][metrics[1]], adjusted[1][at], "Shirt's F1")
            for at, name in enumerate(list(study.variants)[1:])
        ),
        *(["", study.remark] if study.remark else []),
        "",
        f"![Differences by class]({slug}.png)",
        "",
        f"The whole comparison, with every class and the pictures that changed: [{slug}.html]"
        f"({slug}.html), one file that opens offline. Made by `python benchmarks/studies.py {slug} "
        f"--seeds {len(runs[0])}`"
        f" on {facts['hardware']}, {facts['precision']}, torch "
        f"{facts['versions']['torch']}; test is read once a run, by the weights that are best on "
        "validation.",
        "",
    ]
    return "\n".join(lines)


def _spread(group: Group, metric: str) -> str:
    return mean_std([100 * float(value) for value in group.values(metric)])


def _effect(one: Estimate, p_value: float) -> str:
    value, low, high = (100 * x for x in (one.interval.value, one.interval.low, one.interval.high))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]{'*' if p_value < 0.05 else ''}"


def _sentence(name: str, one: Estimate, p_value: float, what: str) -> str:
    gap = 100 * one.interval.value
    if p_value < 0.05:
        return f"- `{name}` {'raises' if gap > 0 else 'lowers'} {what} by {abs(gap):.2f} points."
    return f"- `{name}` has no effect on {what} that these runs can tell from chance."


def main() -> None:
    """Train, compare and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=", ".join(STUDIES))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    if unknown := set(options.studies) - set(STUDIES):
        parser.error(f"no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    chosen = {name: STUDIES[name] for name in options.studies or STUDIES}
    recipes = {
        name: recipe for study in chosen.values() for name, recipe in study.recipes().items()
    }
    train_all(recipes, options.seeds)
    for slug, study in chosen.items():
        publish(slug, study, options.seeds)


if __name__ == "__main__":
    main()
