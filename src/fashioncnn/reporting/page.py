"""The page: one HTML file with everything inside, which opens offline."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from fashioncnn.errors import StorageError
from fashioncnn.evaluation.class_groups import group_confusion
from fashioncnn.recipes.load import dump
from fashioncnn.reporting import figures
from fashioncnn.reporting.facts import Group
from fashioncnn.reporting.reported import rows
from fashioncnn.reporting.style import class_colours
from fashioncnn.runs.files import write_text

# Lines and letters stay sharp as SVG; pictures made of pixels are smaller as PNG.
SHARP = (
    "training_validation_loss",
    "training_validation_accuracy",
    "confusion_matrix",
    "f1_by_class",
    "reliability",
    "risk_coverage",
    "effects",
    "robustness",
    "attribution_curves",
)

CAPTIONS = {
    "training_validation_loss": "Loss by epoch. Training loss includes dropout and augmentation; "
    "validation loss, where pictures were set aside for it, is plain.",
    "training_validation_accuracy": "Accuracy by epoch, on the same pictures. Where later epochs "
    "are over the hardest pictures only, training accuracy falls and training loss rises with it.",
    "confusion_matrix": "Rows are the true classes, columns what the network answered.",
    "f1_by_class": "F1, the harmonic mean of precision and recall, for each class.",
    "confused_pictures": "The most confused pairs, and the pictures the network was surest about. "
    "The frame has the colour of the answer; #n is the position in the test file.",
    "worst_mistakes": "The mistakes in which the true class had the least probability, the worst "
    "first: above each the answer, below it the truth, with the probability of both.",
    "closest_right_answers": "The right answers that were nearly wrong, the closest first: above "
    "each the answer, below it the second choice.",
    "reliability": "Of the pictures about which the network was, say, 80 % sure, 80 % should be "
    "right: the closer to the dotted line, the truer. Bars are 95 % intervals; below, how many "
    "pictures there are of each confidence. The temperature is fitted on validation.",
    "risk_coverage": "Leaving the unsure pictures to a person: the error among those answered. "
    "Squares are thresholds chosen on validation.",
    "attributions": "Red speaks for the answer given, blue against it. Beside each method is the "
    "same for a network with random weights: a map that looks the same there tells nothing of what "
    "was learned. First right answers, then wrong ones.",
    "attribution_curves": "A map that is true finds pixels whose loss lowers the probability of "
    "the answer early (left), and whose presence brings it early (right), better than edges do.",
    "embedding": "Test pictures by what the last layer is given (t-SNE): near means alike to the "
    "network. Crosses are mistakes, in the colour of their true class. Distances between far "
    "groups mean nothing.",
    "made_up_classes": "Made up, pixel by pixel, to please one class: what it adds up for, not "
    "what it has seen. That they hardly look like clothes is a finding, not a fault of the figure.",
    "robustness": "Accuracy on test pictures made worse, from none to the strongest of five "
    "severities; the dotted line is the accuracy on the pictures as they are.",
    "effects": "Differences in points, with 95 % intervals over pictures and seeds: an interval "
    "that holds zero says that the difference may be chance.",
}


@dataclass(frozen=True)
class Picture:
    """A figure as the page embeds it."""

    name: str
    source: str
    caption: str


def write(
    groups: Sequence[Group],
    page: Path,
    figures_folder: Path,
    comparisons: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Draw the figures into `figures_folder` and write `page`; returns its path.

    Each group has a section; `comparisons` of them, as of `compare`'s to_json, come first. Every
    run must have its scores.
    """
    effects = (
        _picture(figures.draw_comparison(comparisons, figures_folder)) if comparisons else None
    )
    sections = []
    for number, one in enumerate(groups):
        folder = figures_folder if len(groups) == 1 else figures_folder / f"{number + 1}"
        sections.append(_section(one, figures.draw(one, folder), number))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fashioncnn.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.2f} %"
    html = environment.get_template("page.html.j2").render(
        title=" and ".join(dict.fromkeys(one.recipe.name for one in groups)),
        sections=sections,
        comparisons=comparisons,
        effects=effects,
    )
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.from_os_error("make", page.parent, error) from None
    write_text(page, html)
    return page


def _section(one: Group, drawn: Sequence[Path], number: int) -> dict[str, Any]:
    names = [score.name for score in one.scored[0].classes]
    intervals = one.intervals()
    groups, wrong = group_confusion(one.confusion, names)
    pictures = [_picture(path) for path in drawn if path.stem != "overview"]
    return {
        "id": f"s{number + 1}",
        "recipe": one.recipe,
        "runs": one.runs,
        "n": len(one.runs),
        "accuracy": _mean_std(one, "test/accuracy"),
        "accuracy_interval": intervals["test/accuracy"],
        "loss": _mean_std(one, "test/loss"),
        "macro": _mean_std(one, "test/f1_macro"),
        "seconds": sum(run.seconds for run in one.runs) / len(one.runs),
        "classes": [
            {
                "name": name,
                "colour": class_colours(names)[name],
                "support": one.scored[0].classes[index].support,
                "f1_interval": intervals[f"test/f1/{name}"],
                **{
                    key: _mean_std(one, f"test/{key}/{name}")
                    for key in ("precision", "recall", "f1")
                },
            }
            for index, name in enumerate(names)
        ],
        "weakest": min(names, key=lambda name: float(one.values(f"test/f1/{name}").mean())),
        "mistakes": {
            "all": float(wrong.sum()),
            "within": [
                (group, float(count))
                for group, count in zip(groups, wrong.diagonal(), strict=True)
                if count
            ],
            "across": float(wrong.sum() - wrong.trace()),
        },
        "confidence": one.first.confidence,
        "cost": one.first.cost,
        "stress": one.first.stress,
        "attribution_checks": one.first.attribution_checks,
        "top": one.scored[0].top_confusions[:3],
        "reported": rows(one),
        "figures": {picture.name: picture for picture in pictures},
        "filters": [p for p in pictures if p.name.startswith("filters_")],
        "feature_maps": [p for p in pictures if p.name.startswith("feature_maps_")],
        "units": [p for p in pictures if p.name.startswith("units_")],
        "unit_facts": one.first.unit_facts,
        "recipe_toml": dump(one.recipe),
        "provenance": _provenance(one),
    }


def _mean_std(one: Group, metric: str) -> dict[str, float | None]:
    values = one.values(metric)
    std = float(values.std(ddof=1)) if len(values) > 1 else None
    return {"mean": float(values.mean()), "std": std}


def _picture(path: Path) -> Picture:
    suffix, kind = (".svg", "svg+xml") if path.stem in SHARP else (".png", "png")
    encoded = base64.b64encode(path.with_suffix(suffix).read_bytes()).decode()
    return Picture(path.stem, f"data:image/{kind};base64,{encoded}", _caption(path.stem))


def _caption(name: str) -> str:
    for prefix, words in (
        ("filters_", "Filters of"),
        ("feature_maps_", "Feature maps of"),
        ("units_", "What excites"),
    ):
        if name.startswith(prefix):
            return f"{words} {name.removeprefix(prefix)}"
    return CAPTIONS[name]


def _provenance(one: Group) -> list[tuple[str, str]]:
    run = one.first
    facts = run.provenance
    validated = facts["split"]["validation_images"] > 0
    checkpoint = run.evaluation["checkpoint"]
    readings = ", ".join(str(each.evaluation["test_readings"]) for each in one.runs)
    return [
        ("runs", ", ".join(str(each.run.path) for each in one.runs)),
        ("seeds", ", ".join(str(each.provenance["seed"]) for each in one.runs)),
        ("command", facts["command"]),
        ("started", facts["started"]),
        ("hardware", f"{facts['hardware']}, {facts['precision']}"),
        ("versions", ", ".join(f"{name} {value}" for name, value in facts["versions"].items())),
        ("data, SHA-256", ", ".join(f"{name} {sha}" for name, sha in facts["data"].items())),
        (
            "validation",
            f"{facts['split']['validation_images']:,} of the training pictures, split seed "
            f"{facts['split']['seed']}, SHA-256 of their positions {facts['split']['sha256']}"
            if validated
            else "none: trained on all the training pictures",
        ),
        (
            "weights scored",
            f"best by validation, after epoch {checkpoint['epochs']}"
            if validated and checkpoint["name"] == "best"
            else f"last, after epoch {checkpoint['epochs']}",
        ),
        ("evaluations on test, run by run", readings),
    ]
