"""The page about runs: what was found, in the order of reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fashioncnn.evaluation.class_groups import group_confusion
from fashioncnn.recipes.load import dump
from fashioncnn.reporting import figures
from fashioncnn.reporting.facts import Group, RunFacts
from fashioncnn.reporting.html import Picture, picture, write_page
from fashioncnn.reporting.provenance import provenance
from fashioncnn.reporting.reported import rows
from fashioncnn.reporting.style import class_colours

CAPTIONS = {
    "overview": "At a glance: how it learned, where it fails, its first filters, and what they "
    "make of pictures. Each is larger below.",
    "training_validation_loss": "Loss by epoch. Training loss includes dropout and augmentation; "
    "validation loss, where pictures were set aside for it, is plain.",
    "training_validation_accuracy": "Accuracy by epoch, on the same pictures. Where later epochs "
    "are over the hardest pictures only, training accuracy falls and training loss rises with it.",
    "learning_by_class": "Accuracy on validation pictures by class: which were learned at once, "
    "and which late or never.",
    "learning": "The same filters and channels after several epochs, and what they make of one "
    "picture: edges appear first, parts of clothes later.",
    "path": "One picture on its way through the whole network: at every stage the channels that "
    "answer it most strongly, the strongest on top, and in the end the probabilities.",
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
}


UNKNOWN_WORDS = {
    "noise": "noise",
    "inverted": "test pictures, black and white exchanged",
    "scrambled": "test pictures, pixels in another order",
}


def write(group: Group, page: Path, figures_folder: Path) -> Path:
    """Draw the figures of `group` into `figures_folder` and write `page`; returns its path.

    Every run must have its scores.
    """
    return write_page("page.html.j2", page, s=_section(group, figures.draw(group, figures_folder)))


def _section(one: Group, drawn: Sequence[Path]) -> dict[str, Any]:
    names = [score.name for score in one.scored[0].classes]
    intervals = one.intervals()
    groups, wrong = group_confusion(one.confusion, names)
    pictures = [_picture(path) for path in drawn]
    return {
        "recipe": one.recipe,
        "runs": one.runs,
        "n": len(one.runs),
        "accuracy": one.mean_std("test/accuracy"),
        "accuracy_interval": intervals["test/accuracy"],
        "loss": one.mean_std("test/loss"),
        "macro": one.mean_std("test/f1_macro"),
        "seconds": sum(run.seconds for run in one.runs) / len(one.runs),
        "classes": [
            {
                "name": name,
                "colour": class_colours(names)[name],
                "support": one.scored[0].classes[index].support,
                "f1_interval": intervals[f"test/f1/{name}"],
                **{
                    key: one.mean_std(f"test/{key}/{name}") for key in ("precision", "recall", "f1")
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
        "unknown": _unknown(one.first),
        "attribution_checks": one.first.attribution_checks,
        "top": one.scored[0].top_confusions[:3],
        "reported": rows(one),
        "figures": {picture.name: picture for picture in pictures},
        "filters": [p for p in pictures if p.name.startswith("filters_")],
        "feature_maps": [p for p in pictures if p.name.startswith("feature_maps_")],
        "units": [p for p in pictures if p.name.startswith("units_")],
        "unit_facts": one.first.unit_facts,
        "recipe_toml": dump(one.recipe),
        "provenance": provenance(one),
    }


def _unknown(run: RunFacts) -> list[tuple[str, Mapping[str, Any]]]:
    """Return how well unknown pictures are noticed, first our own kinds, then the user's."""
    kinds = run.stress["unknown"] if run.stress else {}
    asked = run.unknown["asked"] if run.unknown else ()
    return [
        *((UNKNOWN_WORDS[name], found) for name, found in kinds.items()),
        *((f"{one['path']} ({one['n']:,} pictures)", one) for one in asked),
    ]


def _picture(path: Path) -> Picture:
    return picture(path, _caption(path.stem))


def _caption(name: str) -> str:
    for prefix, words in (
        ("filters_", "Filters of"),
        ("feature_maps_", "Feature maps of"),
        ("units_", "What excites"),
    ):
        if name.startswith(prefix):
            return f"{words} {name.removeprefix(prefix)}"
    return CAPTIONS[name]
