"""Every file of a run that is made of certain weights, each named once."""

from __future__ import annotations

from typing import Literal

from fashioncnn.evaluation.confidence import Confidence
from fashioncnn.evaluation.views import ViewsName
from fashioncnn.runs.arrays import Spec
from fashioncnn.runs.artifact import ArraysArtifact, JsonArtifact
from fashioncnn.runs.contents import (
    AttributionChecks,
    Cost,
    ScoredSplit,
    Stress,
    UnitFacts,
    Unknown,
)
from fashioncnn.runs.directory import EVALUATION, EXPLANATIONS

SplitName = Literal["test", "validation"]

INDICES = Spec("i", ("n",))
PICTURES = Spec("u", ("n", ".", ".", (1, 3)))
SHARES = Spec("f", ("n",), share=True)
MAPS = Spec("f", ("n", "h", "w"))


def scores(split: SplitName = "test", views: ViewsName = "plain") -> JsonArtifact[ScoredSplit]:
    """Return the scores of `split`; the plain ones of test are those without a prefix."""
    return JsonArtifact(f"{EVALUATION}/{_prefix(split, views)}scores.json", ScoredSplit)


def predictions(split: SplitName = "test", views: ViewsName = "plain") -> ArraysArtifact:
    """Return what the network answered for the pictures of `split`."""
    return ArraysArtifact(
        f"{EVALUATION}/{_prefix(split, views)}predictions.npz",
        {
            "class_names": Spec("U", ("k",)),
            "logits": Spec("f", ("n", "k")),
            "labels": Spec("i", ("n",), below="k"),
            "indices": INDICES,
            "seconds": Spec("f"),
        },
    )


def _prefix(split: SplitName, views: ViewsName) -> str:
    return ("" if split == "test" else f"{split}-") + ("" if views == "plain" else f"{views}-")


CONFIDENCE = JsonArtifact(f"{EVALUATION}/confidence.json", Confidence, form=2)
COST = JsonArtifact(f"{EVALUATION}/cost.json", Cost)
STRESS = JsonArtifact(f"{EVALUATION}/stress.json", Stress)
UNKNOWN = JsonArtifact(f"{EVALUATION}/unknown.json", Unknown)
CONFUSED_PICTURES = ArraysArtifact(
    f"{EVALUATION}/confused_pictures.npz",
    {
        "images": PICTURES,
        "indices": INDICES,
        "labels": INDICES,
        "predicted": INDICES,
        "probabilities": SHARES,
    },
    form=2,
)
TELLING_PICTURES = ArraysArtifact(
    f"{EVALUATION}/telling_pictures.npz",
    {
        "images": PICTURES,
        "indices": INDICES,
        "kind": INDICES,
        "answers": INDICES,
        "others": INDICES,
        "answer_probabilities": SHARES,
        "other_probabilities": SHARES,
    },
    form=2,
)

FILTERS = ArraysArtifact(f"{EXPLANATIONS}/filters.npz", {"*": Spec("f", (".", ".", ".", "."))})
FEATURE_MAPS = ArraysArtifact(f"{EXPLANATIONS}/feature_maps.npz", {"*": Spec("f", ("n", "…"))})
EXPLAINED_PICTURES = ArraysArtifact(
    f"{EXPLANATIONS}/pictures.npz",
    {
        "images": PICTURES,
        "labels": INDICES,
        "indices": INDICES,
        "probabilities": Spec("f", ("n", "k"), share=True),
        "stages": Spec("U", ("s",)),
    },
    form=2,
)
LEARNING = ArraysArtifact(
    f"{EXPLANATIONS}/learning.npz",
    {
        "epochs": Spec("i", ("e",)),
        # A network without convolutions has no filters, and may have no stages.
        "filters": Spec("f", ("e", "f", ".", ".")),
        "channels *": Spec("i", (".",)),
        "maps *": Spec("f", ("e", ".", ".", ".")),
    },
)
UNITS = ArraysArtifact(
    f"{EXPLANATIONS}/units.npz",
    {
        "classes": Spec("f", (".", ".", ".", ".")),
        "channels *": Spec("i", (".",)),
        "patches *": Spec("u", (".", ".", ".", ".", ".")),
        "preferred *": Spec("f", (".", ".", ".", ".")),
    },
    form=3,
)
UNIT_FACTS = JsonArtifact(f"{EXPLANATIONS}/units.json", UnitFacts)
ATTRIBUTIONS = ArraysArtifact(
    f"{EXPLANATIONS}/attributions.npz",
    {
        "images": PICTURES,
        "indices": INDICES,
        "labels": INDICES,
        "predicted": INDICES,
        "edges": MAPS,
        "random": MAPS,
        "map *": MAPS,
        "control *": MAPS,
    },
    form=2,
)
ATTRIBUTION_CHECKS = JsonArtifact(f"{EXPLANATIONS}/attributions.json", AttributionChecks)
EMBEDDING = ArraysArtifact(
    f"{EXPLANATIONS}/embedding.npz",
    {"places": Spec("f", ("n", 2)), "labels": INDICES, "predicted": INDICES},
)
