"""What stands below each figure of a page."""

from __future__ import annotations

CAPTIONS = {
    "overview": "At a glance: how it learned, where it fails, its first filters, and what they "
    "make of pictures. Each is larger below.",
    "training_validation_loss": "Loss by epoch. Training loss includes dropout and augmentation; "
    "validation loss, where pictures were set aside for it, is plain.",
    "training_validation_accuracy": "Accuracy by epoch, on the same pictures. Where later epochs "
    "are over the hardest pictures only, training accuracy and loss are of those.",
    "learning_by_class": "Accuracy on validation pictures by class: which were learned at once, "
    "and which late or never.",
    "learning": "The same filters and channels after several epochs, and what they make of one "
    "picture.",
    "path": "One picture on its way through the whole network: at every stage the channels that "
    "answer it most strongly, the strongest on top, and in the end the probabilities.",
    "confusion_matrix": "Rows are the true classes, columns what the network answered.",
    "f1_by_class": "F1, the harmonic mean of precision and recall, for each class.",
    "confused_pictures": "The most confused pairs, and the pictures the network was surest about. "
    "The frame has the colour of the answer; #n is the position in the test split.",
    "worst_mistakes": "The mistakes in which the true class had the least probability, the worst "
    "first: above each the answer, below it the truth, with the probability of both.",
    "closest_right_answers": "The right answers that were nearly wrong, the closest first: above "
    "each the answer, below it the second choice.",
    "reliability": "Of the pictures about which the network was, say, 80 % sure, 80 % should be "
    "right: the closer to the dotted line, the truer. Bars are 95 % intervals; below, how many "
    "pictures there are of each confidence. A temperature is fitted on validation.",
    "risk_coverage": "Leaving the unsure pictures to a person: the error among those answered. "
    "Squares, if any, are thresholds chosen on validation.",
    "attributions": "Red speaks for the answer given, blue against it. Beside each method is the "
    "same for a network with random weights: a map that looks the same there tells nothing of what "
    "was learned. First right answers, then wrong ones.",
    "attribution_curves": "A map that is true finds pixels whose loss lowers the probability of "
    "the answer early (left), and whose presence brings it early (right), better than edges do.",
    "embedding": "Test pictures by what the last layer is given (t-SNE): near means alike to the "
    "network. Crosses are mistakes, in the colour of their true class. Distances between far "
    "groups mean nothing.",
    "preferred_by_classes": "Activation maximisation: the picture, found pixel by pixel, that each "
    "class answers most strongly. It shows what a class adds up, not what it has seen. That they "
    "hardly look like pictures is a finding, not a fault of the figure.",
    "robustness": "Accuracy on test pictures made worse, from none to the strongest of five "
    "severities; the dotted line is the accuracy on the pictures as they are.",
    "history": "Every setting in the order of trying. Crosses were given up early, at the accuracy "
    "that they had by then. Of many settings, those far below the others may lie outside.",
    "parallel": "A line a setting, through the value of every key: bright lines are the best.",
    "slices": "Accuracy against the values of one key at a time; the other keys differ within a "
    "column.",
    "importance": "How much of the spread of accuracy each key explains, by functional ANOVA on "
    "random forests (Hutter et al., ICML 2014). It says what matters, not which value is best.",
    "effects": "Differences in points, with 95 % intervals over pictures, and over seeds where "
    "there are several. An interval that holds zero says that the difference may be chance; one of "
    "many that does not says little: intervals are not corrected for their number, p-values and "
    "verdicts are.",
    "pairs_across": "The nearest pairs: on the left the training picture, on the right the test "
    "picture, with the root of their mean squared difference in greys of 0 to 255.",
    "pairs_alike_across": "A training picture, left, and a test picture, right, that a network's "
    "last features hardly tell apart, with the cosine of their angle: the same thing "
    "photographed twice, or things that differ in what the network does not look at.",
    "pairs_alike_labelled_differently": "Pictures of different labels that a network's last "
    "features hardly tell apart. One label may be wrong, or both right and the pictures too small "
    "to tell.",
}
CANDIDATES = (
    "The likeliest first: above each what networks that did not train on it say, below it the "
    "label. Candidates, not errors: of such flags, people confirm about half (Northcutt et al., "
    "arXiv 2103.14749)."
)
BY_PREFIX = {
    "filters_": "Filters of {}",
    "feature_maps_": "Feature maps of {}",
    "units_": "What excites {}",
    "changed_": "The test pictures whose answers changed most: above each its true class, in the "
    "frame's colour; below it, whether it was right before and after; of several runs, how many "
    "per cent.",
    "train_candidates": CANDIDATES,
    "test_candidates": CANDIDATES,
}


def caption(name: str) -> str:
    """Return the words below the figure called `name`."""
    for prefix, words in BY_PREFIX.items():
        if name.startswith(prefix):
            return words.format(name.removeprefix(prefix))
    return CAPTIONS[name]
