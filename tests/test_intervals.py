"""Intervals, comparisons, calibration: against other libraries, and against simulated truth."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from fashioncnn.errors import DataError, RunError
from fashioncnn.evaluation.calibration import Calibration, calibration, fit_temperature
from fashioncnn.evaluation.intervals import (
    Estimate,
    Interval,
    difference,
    mean_over_runs,
    picture_weights,
    share,
    wilson,
)
from fashioncnn.evaluation.paired import (
    accuracy_differences,
    compare,
    holm,
    mcnemar,
    paired_shares,
    runs_needed,
)
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.evaluation.scores import score
from fashioncnn.evaluation.selective import answering, risk_coverage, threshold

SIMULATIONS = 1000
Right = NDArray[np.float32]
CLASSES = ("shirt", "coat", "bag")


def predictions(seed: int, n: int = 600, sharpness: float = 1.5) -> Predictions:
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(99).integers(0, len(CLASSES), n)
    logits = random.normal(0, 1, (n, len(CLASSES)))
    logits[np.arange(n), labels] += sharpness
    return Predictions(logits.astype(np.float32), labels, np.arange(n), CLASSES)


def changed(first: NDArray[Any], other: NDArray[Any]) -> tuple[int, int]:
    """Return how many pictures are right in `other` alone, and in `first` alone."""
    return int((other > first).sum()), int((first > other).sum())


def binomial_bound(share: float) -> float:
    """Return what a true share exceeds in a simulation once in a thousand."""
    return float(stats.binom.ppf(0.999, SIMULATIONS, share)) / SIMULATIONS


class World:
    """Pictures of different difficulty, runs of different quality: whose mean is known."""

    def __init__(self, between_runs: float) -> None:
        self.between_runs = between_runs
        easy, quality = stats.norm.ppf((np.arange(400) + 0.5) / 400), self.between_runs
        runs = stats.norm.ppf((np.arange(200) + 0.5) / 200) * quality
        self.accuracy = float(special.expit(2 + 2 * easy[:, None] + runs).mean())

    def right(self, random: np.random.Generator, easy: NDArray[np.float64], runs: int) -> Right:
        quality = random.normal(0, self.between_runs, runs)
        chance: NDArray[np.float64] = special.expit(2 + 2 * easy[:, None] + quality)
        return (random.random(chance.shape) < chance).astype(np.float32)


@pytest.mark.parametrize(("right", "n"), [(0, 10), (9500, 10_000), (10, 10), (3, 7)])
def test_wilson_as_in_statsmodels(right: int, n: int) -> None:
    found = wilson(right, n)
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(right, n, method="wilson"), abs=1e-12
    )
    assert found.value == right / n


def test_wilson_of_nothing_is_everything() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


@pytest.mark.parametrize("between_runs", [0.0, 0.1, 0.5])
def test_group_intervals_cover_as_they_say(between_runs: float) -> None:
    world = World(between_runs)
    random = np.random.default_rng(4)
    covered = 0
    for simulation in range(SIMULATIONS):
        right = world.right(random, random.normal(0, 1, 300), runs=5)
        weights = np.concatenate(list(picture_weights(300, 250, seed=simulation)))
        draws = (weights @ right / 300).astype(np.float64)
        found = mean_over_runs(right.mean(0, dtype=np.float64), draws).interval
        covered += found.low <= world.accuracy <= found.high
    assert 0.93 <= covered / SIMULATIONS <= 0.97


@pytest.mark.parametrize("between_runs", [0.0, 0.1, 0.5])
def test_no_more_false_alarms_than_said(between_runs: float) -> None:
    world = World(between_runs)
    random = np.random.default_rng(5)
    single = group = 0
    for simulation in range(SIMULATIONS):
        easy = random.normal(0, 1, 300)
        one, other = world.right(random, easy, runs=5), world.right(random, easy, runs=5)
        group += accuracy_differences([one, other], seed=simulation)[0].p_value < 0.05
        single += mcnemar(*changed(one[:, 0], other[:, 0])) < 0.05
    assert group / SIMULATIONS <= binomial_bound(0.05)
    # Two single runs of unequal quality are different networks: no null hypothesis for those.
    if not between_runs:
        assert single / SIMULATIONS <= binomial_bound(0.05)


def test_a_true_difference_is_found_and_covered() -> None:
    random = np.random.default_rng(6)
    worse, better = World(0.1), World(0.1)
    found = covered = 0
    for simulation in range(300):
        easy = random.normal(0, 1, 1000)
        one = worse.right(random, easy - 0.5, runs=5)
        other = better.right(random, easy, runs=5)
        estimate = accuracy_differences([one, other], seed=simulation)[0]
        found += estimate.p_value < 0.05
        easier = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
        truth = better.accuracy - float(special.expit(2 + 2 * (easier - 0.5)).mean())
        covered += estimate.interval.low <= truth <= estimate.interval.high
    assert found / 300 > 0.95
    assert 0.91 <= covered / 300 <= 0.99


@pytest.mark.parametrize("runs", [3, 5])
@pytest.mark.parametrize("between_runs", [0.0, 0.1, 0.5])
def test_one_run_against_several_raises_no_false_alarms(runs: int, between_runs: float) -> None:
    world = World(between_runs)
    random = np.random.default_rng(12)
    alarms = 0
    for simulation in range(SIMULATIONS):
        easy = random.normal(0, 1, 300)
        one, several = world.right(random, easy, runs=1), world.right(random, easy, runs=runs)
        pair = [one, several] if simulation % 2 else [several, one]
        alarms += accuracy_differences(pair, seed=simulation)[0].p_value < 0.05
    assert alarms / SIMULATIONS <= binomial_bound(0.05)


# Variances of the mean over pictures, and of a run's figure over seeds.
PICTURES_AND_SEEDS = (1e-6, 2e-5)


@cache
def answers_by_gap() -> list[tuple[float, int | None]]:
    """Return how many runs are needed to tell each of many differences."""
    pictures, size = PICTURES_AND_SEEDS
    gaps = np.geomspace(0.004, 0.2, 120).tolist()
    return [(gap, runs_needed(_estimate(gap, pictures, (size, size)))) for gap in gaps]


@pytest.mark.parametrize("wanted", [2, 3, 5, 10])
def test_runs_needed_have_the_power_that_they_promise(wanted: int) -> None:
    """Studies of the size that is asked for, simulated, and judged by the code itself."""
    pictures, size = PICTURES_AND_SEEDS
    # Of all differences that take so many runs, nearly the smallest.
    fitting = [gap for gap, answer in answers_by_gap() if answer == wanted]
    gap = float(np.quantile(fitting, 0.1 if wanted > 2 else 0.0))
    random = np.random.default_rng(wanted)
    told = 0
    for _ in range(SIMULATIONS):
        shared = random.normal(0, np.sqrt(pictures))
        first, second = (
            level + random.normal(0, np.sqrt(size), wanted) for level in (0.0, gap + shared)
        )
        draws = random.normal(0, np.sqrt(pictures), (200, 1))
        found = difference(second, second + draws, first, np.broadcast_to(first, (200, wanted)))
        told += found.p_value < 0.05
    assert 0.75 <= told / SIMULATIONS <= 0.90


def test_when_no_number_of_runs_would_do() -> None:
    pictures, sizes = 4e-8, (2e-5, 2e-5)
    assert runs_needed(_estimate(1e-4, pictures, sizes)) is None
    assert runs_needed(_estimate(0.003, pictures, (0.0, 2e-5))) is None
    # As normal quantiles have it, where there are many runs.
    needed = runs_needed(_estimate(0.001, pictures, sizes))
    assert needed
    assert needed == pytest.approx(4e-5 / ((0.001 / 2.8016) ** 2 - pictures), rel=0.01)


def _estimate(value: float, pictures: float, runs: tuple[float, float]) -> Estimate:
    return Estimate(Interval(value, 0, 0), 1, 1, pictures, runs)


def shares(right: Right) -> list[Predictions]:
    """Return runs of two classes whose answers are right as `right` (n, runs) says."""
    labels = np.zeros(len(right), np.int64)
    labels[len(right) // 2 :] = 1
    answers = np.where(right.T > 0, labels, 1 - labels)
    return [
        Predictions(np.eye(2, dtype=np.float32)[one], labels, np.arange(len(labels)), ("a", "b"))
        for one in answers
    ]


def test_a_share_of_all_or_none_has_an_interval() -> None:
    for value, runs in ((1.0, 1), (1.0, 3), (0.0, 3)):
        found = intervals(shares(np.full((10, runs), value, np.float32)))
        one = found["test/accuracy"]
        assert one.value == value
        assert one.high - one.low > 0.2
        assert one.low <= value <= one.high
        assert found["test/recall/a"].high - found["test/recall/a"].low > 0.3


@pytest.mark.parametrize("between_runs", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("runs", [2, 5])
def test_intervals_of_a_rare_class_cover(between_runs: float, runs: int) -> None:
    world = World(between_runs)
    random = np.random.default_rng(13)
    covered = 0
    for simulation in range(300):
        right = world.right(random, random.normal(0, 1, 30), runs=runs)
        weights = np.concatenate(list(picture_weights(30, 250, seed=simulation)))
        estimate = mean_over_runs(
            right.mean(0, dtype=np.float64), (weights @ right / 30).astype(np.float64)
        )
        found = share(float(right.mean()), 30, estimate)
        covered += found.low <= world.accuracy <= found.high
    assert covered / 300 >= 0.91


@pytest.mark.parametrize("runs", [2, 3])
def test_few_runs_that_differ_much_are_covered(runs: int) -> None:
    """The spread over seeds is twice that over pictures."""
    random = np.random.default_rng(14)
    covered = 0
    for _ in range(SIMULATIONS):
        pictures = random.normal(0, 1)
        values = pictures + random.normal(0, 2, runs)
        draws = values + random.normal(0, 1, (300, 1))
        found = mean_over_runs(values, draws).interval
        covered += found.low <= 0 <= found.high
    assert covered / SIMULATIONS >= 0.93


@pytest.mark.parametrize(("pictures", "accuracy"), [(10, 0.9), (20, 0.97)])
def test_f1_of_a_small_class_is_covered(pictures: int, accuracy: float) -> None:
    random = np.random.default_rng(15)
    names = ("a", "b", "c")

    def answered(count: int) -> Predictions:
        labels = np.arange(3).repeat(count)
        away = random.integers(1, 3, len(labels)) * (random.random(len(labels)) > accuracy)
        logits = np.eye(3, dtype=np.float32)[(labels + away) % 3]
        return Predictions(logits, labels, np.arange(len(labels)), names)

    # Equal classes that are confused alike: F1 is the accuracy.
    covered = 0
    for _ in range(60):
        found = intervals([answered(pictures)])
        of_classes = [found[f"test/f1/{name}"] for name in names]
        covered += sum(one.low <= accuracy <= one.high for one in of_classes)
        assert all(one.high - one.low > 0.01 for one in of_classes)
    assert covered / 180 >= 0.92


def test_degrees_of_freedom_by_hand() -> None:
    # Two groups: Welch and Satterthwaite's, against scipy's own test of two samples.
    random = np.random.default_rng(15)
    one, other = random.normal(0, 1, 7), random.normal(0, 2, 7)
    draws = np.zeros((10, 1))
    found = difference(one, one + draws, other, other + draws)
    expected = stats.ttest_ind(one, other, equal_var=False)
    assert found.freedom == pytest.approx(expected.df)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.error == pytest.approx(np.sqrt(one.var(ddof=1) / 7 + other.var(ddof=1) / 7))
    # A single run borrows the spread of the others: one sample against a new observation.
    single = np.array([3.0])
    found = difference(single, single + draws, other, other + draws)
    assert found.freedom == pytest.approx(6)
    assert found.error == pytest.approx(other.std(ddof=1) * np.sqrt(1 + 1 / 7))


def test_noise_of_single_pictures_averages_out_over_runs() -> None:
    random = np.random.default_rng(18)
    of_all, of_each = random.normal(0, 0.01, (4000, 1)), random.normal(0, 0.02, (4000, 4))
    found = mean_over_runs(np.full(4, 0.9), 0.9 + of_all + of_each)
    assert found.picture_variance == pytest.approx(0.01**2, rel=0.1)
    assert found.single_variance == pytest.approx(0.02**2 / 4, rel=0.1)


def test_p_value_of_a_difference_that_pictures_alone_make_uncertain() -> None:
    random = np.random.default_rng(17)
    one, other = np.array([0.93]), np.array([0.92])
    draws = [value + random.normal(0, 0.004, (2000, 1)) for value in (one, other)]
    for first, second in ((0, 1), (1, 0)):
        values = (one, other)
        found = difference(values[first], draws[first], values[second], draws[second])
        assert found.freedom == np.inf
        z = found.interval.value / found.error
        assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
        assert 0.01 < found.p_value < 0.5


def test_no_error_at_all() -> None:
    same = np.full(3, 0.5)
    draws = np.full((10, 3), 0.5)
    assert difference(same, draws, same, draws).p_value == 1
    assert difference(same + 0.1, draws + 0.1, same, draws).p_value == 0


def test_resamples_follow_their_seed() -> None:
    one, same, other = (
        np.concatenate(list(picture_weights(50, 300, seed=seed))) for seed in (1, 1, 2)
    )
    assert one.shape == (300, 50)
    assert (one.sum(1) == 50).all()
    assert (one == same).all()
    assert (one != other).any()


def test_mcnemar_as_in_statsmodels() -> None:
    random = np.random.default_rng(8)
    one, other = (random.random((2, 200)) < [[0.8], [0.87]]).astype(np.float32)
    table = np.zeros((2, 2))
    np.add.at(table, (one.astype(int), other.astype(int)), 1)
    assert mcnemar(*changed(one, other)) == pytest.approx(
        statsmodels_mcnemar(table, exact=True).pvalue
    )
    assert mcnemar(*changed(one, one)) == 1


def test_holm_as_in_statsmodels() -> None:
    p_values = [0.04, 0.001, 0.2, 0.013, 0.013]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_compare_counts_and_corrects() -> None:
    base, same = ([predictions(seed) for seed in seeds] for seeds in ((1, 2, 8), (3, 4, 9)))
    better = [predictions(seed, sharpness=3.0) for seed in (5, 6, 7)]
    same_as, better_than = compare(base, [same, better])
    assert not same_as.distinguishable
    assert better_than.distinguishable
    assert better_than.runs == (3, 3)
    accuracies = [score(run).accuracy for run in better]
    assert better_than.accuracies[1] == pytest.approx(np.mean(accuracies))
    gap = better_than.accuracies[1] - better_than.accuracies[0]
    assert better_than.difference.value == pytest.approx(gap)
    assert (better_than.gained - better_than.lost) / 600 == pytest.approx(gap)
    assert same_as.adjusted_p_value >= same_as.p_value
    alone = compare([base[0]], [[same[0]]])[0]
    right = [(run.predicted == run.labels).astype(np.float32) for run in (base[0], same[0])]
    assert alone.p_value == mcnemar(*changed(*right))
    assert alone.gained == int((right[1] > right[0]).sum())


def test_a_difference_of_two_shares_is_at_most_one() -> None:
    base = [predictions(1, sharpness=0.0), predictions(2, sharpness=9.0)]
    better = [predictions(3, sharpness=9.0), predictions(4, sharpness=9.0)]
    gap = compare(base, [better])[0].difference
    assert gap.low == -1
    assert gap.value < gap.high == 1


def test_compare_needs_the_same_pictures() -> None:
    with pytest.raises(RunError, match="not scored on the same pictures"):
        compare([predictions(1)], [[predictions(2, n=500)]])


def test_group_figures_lie_in_their_intervals() -> None:
    runs = [predictions(seed) for seed in range(4)]
    found = intervals(runs)
    means = {
        name: np.mean([score(run).metrics()[name] for run in runs])
        for name in score(runs[0]).metrics()
        if name != "test/loss"
    }
    assert found.keys() == means.keys()
    for name, interval in found.items():
        assert interval.value == pytest.approx(means[name]), name
        assert interval.low < interval.value < interval.high, name
        assert 0.01 < interval.high - interval.low < 0.2, name


def test_one_run_has_wilson_where_it_is_a_share() -> None:
    run = predictions(1)
    found, result = intervals([run]), score(run)
    assert found["test/accuracy"] == wilson(round(result.accuracy * 600), 600)
    coats = sum(result.confusion[1])
    assert found["test/recall/coat"] == wilson(result.confusion[1][1], coats)
    f1 = found["test/f1/coat"]
    assert f1.value == pytest.approx(result.classes[1].f1)
    assert f1.low < f1.value < f1.high


@pytest.mark.parametrize(("classes", "per_class"), [(2, 4), (3, 10)])
def test_f1_of_few_pictures_as_a_mean_is_covered(classes: int, per_class: int) -> None:
    """95 of 100 right: the bootstrap alone covers 36 % and 77 %."""
    random = np.random.default_rng(3)
    labels = np.repeat(np.arange(classes), per_class)
    names = tuple(map(str, range(classes)))
    covered = 0
    for _ in range(100):
        wrong = random.random(len(labels)) < 0.05
        predicted = (labels + wrong * random.integers(1, classes, len(labels))) % classes
        logits = np.eye(classes, dtype=np.float32)[predicted]
        found = intervals([Predictions(logits, labels, np.arange(len(labels)), names)])
        one = found["test/f1_macro"]
        covered += one.low <= 0.95 <= one.high
    assert covered >= 92


def calibrated(n: int, sharpen: float) -> Predictions:
    """Return predictions whose labels follow the softmax of the logits, then sharpened."""
    random = np.random.default_rng(11)
    logits = random.normal(0, 2, (n, 10))
    chances = special.softmax(logits, axis=1)
    labels = (random.random(n)[:, None] > chances.cumsum(1)).sum(1).clip(max=9)
    names = tuple(map(str, range(10)))
    return Predictions((logits * sharpen).astype(np.float32), labels, np.arange(n), names)


def test_calibration_of_the_calibrated_and_the_mended() -> None:
    true = calibration(calibrated(20_000, 1.0))
    # Of a calibrated network, each bin's gap is noise of mean sqrt(2 p (1 - p) / (π n)).
    noise = sum(np.sqrt(2 * b.confidence * (1 - b.confidence) * b.n / np.pi) for b in true.bins)
    assert true.ece < 2 * noise / 20_000
    assert true.ece_by_chance == pytest.approx(noise / 20_000, rel=0.01)
    assert true.ece_equal_mass < 2 * noise / 20_000

    sharp = calibrated(20_000, 3.0)
    assert calibration(sharp).ece > 0.1
    temperature = fit_temperature(sharp)
    assert temperature == pytest.approx(3.0, rel=0.03)
    mended = calibration(sharp, temperature)
    assert mended.ece < 2 * noise / 20_000
    assert mended.nll < calibration(sharp).nll
    assert mended.nll == pytest.approx(true.nll, abs=1e-3)
    assert Calibration.from_json(mended.to_json()) == mended


def test_pictures_that_are_all_right_mend_no_temperature() -> None:
    """The lower, the likelier they would be; that says nothing of others."""
    logits = np.eye(3, dtype=np.float32).repeat(5, 0)
    labels = np.arange(3).repeat(5)
    assert fit_temperature(Predictions(logits, labels, np.arange(15), ("a", "b", "c"))) == 1.0


def test_calibration_as_in_scikit_learn_and_by_hand() -> None:
    run = predictions(1)
    probabilities = special.softmax(run.logits.astype(np.float64), axis=1)
    found = calibration(run)
    assert found.nll == pytest.approx(metrics.log_loss(run.labels, probabilities))
    assert found.brier == pytest.approx(
        metrics.brier_score_loss(run.labels, probabilities, scale_by_half=False)
    )
    gap = 0.0
    confidence, right = probabilities.max(1), probabilities.argmax(1) == run.labels
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            gap += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert found.ece == pytest.approx(gap)
    order = np.argsort(confidence)
    mass = sum(
        len(part) / 600 * abs(confidence[part].mean() - right[part].mean())
        for part in np.array_split(order, 15)
    )
    assert found.ece_equal_mass == pytest.approx(mass)


@pytest.mark.parametrize("n", [2, 9, 40])
def test_the_calibration_error_of_true_probabilities(n: int) -> None:
    """Of few pictures it is large; the figure beside it says how large, as simulated."""
    found = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        labels = (random.random(n) < 0.3).astype(np.int64)
        logits = np.tile(np.log(np.array([0.7, 0.3], np.float32)), (n, 1))
        found.append(calibration(Predictions(logits, labels, np.arange(n), ("a", "b"))))
    errors = np.array([one.ece for one in found])
    assert found[0].ece_by_chance == pytest.approx(errors.mean(), abs=3 * errors.std() / 200**0.5)


def test_risk_and_coverage_by_hand() -> None:
    logits = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.6, 0.4]], np.float32))
    run = Predictions(logits, np.array([0, 0, 1, 0]), np.arange(4), ("a", "b"))
    curve = risk_coverage(run)
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 3, 1 / 4])
    # Of the two that are equally sure one is wrong: either may come first.
    assert curve.area == pytest.approx((0 + 0.5 / 2 + 1 / 3 + 1 / 4) / 4)
    chosen = threshold(run, 0.3)
    assert chosen is not None
    assert (chosen.coverage, chosen.risk) == (1.0, 0.25)
    chosen = threshold(run, 0.2)
    assert chosen is not None
    assert (chosen.coverage, chosen.risk) == (0.25, 0.0)
    assert answering(run, 0.7).coverage == 0.75
    assert answering(run, 0.7).risk == pytest.approx(1 / 3)
    assert answering(run, 0.95).risk == 0
    wrong = Predictions(logits, np.array([1, 0, 0, 0]), np.arange(4), ("a", "b"))
    assert threshold(wrong, 0.1) is None


@pytest.mark.parametrize("seed", range(3))
def test_ties_do_not_depend_on_the_order_of_the_file(seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = np.log(random.choice([0.6, 0.7, 0.9], 200))
    pairs = np.stack([logits, np.log1p(-np.exp(logits))], 1).astype(np.float32)
    run = Predictions(pairs, random.integers(0, 2, 200), np.arange(200), ("a", "b"))
    order = random.permutation(200)
    other = Predictions(run.logits[order], run.labels[order], run.indices[order], ("a", "b"))
    assert risk_coverage(run).area == pytest.approx(risk_coverage(other).area)
    assert calibration(run).ece_equal_mass == pytest.approx(calibration(other).ece_equal_mass)


def test_a_constant_predictor_by_hand() -> None:
    logits = np.tile(np.log(np.array([[0.8, 0.2]], np.float32)), (100, 1))
    labels = (np.arange(100) < 30).astype(np.int64)
    run = Predictions(logits, labels, np.arange(100), ("a", "b"))
    # 80 % sure of what is right 70 % of times, however the pictures are put into bins.
    assert calibration(run).ece_equal_mass == pytest.approx(0.1, abs=1e-6)
    assert risk_coverage(run).area == pytest.approx(0.3)


def test_the_surest_are_right_at_confidence_one() -> None:
    logits = np.array([[200.0, 0.0], [0.0, 200.0]], np.float32)
    run = Predictions(logits, np.array([0, 0]), np.arange(2), ("a", "b"))
    (last,) = calibration(run).bins
    assert (last.n, last.confidence, last.accuracy) == (2, 1.0, 0.5)


def test_no_pictures_cannot_be_scored() -> None:
    run = Predictions(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), np.arange(0), ("a", "b"))
    with pytest.raises(DataError, match="no pictures to score"):
        score(run)


@pytest.mark.parametrize(
    ("n", "more", "less"), [(50, 0.04, 0.02), (200, 0.03, 0.005), (1000, 0.01, 0.005)]
)
def test_two_single_runs_of_few_pictures_have_an_interval_that_covers(
    n: int, more: float, less: float
) -> None:
    random = np.random.default_rng(0)
    drawn = random.multinomial(n, [more, less, 1 - more - less], SIMULATIONS)
    covered = 0
    for gained, lost, _ in drawn.tolist():
        found = paired_shares(gained, lost, n)
        assert found.low <= found.value <= found.high
        assert found.high > found.low
        covered += found.low <= more - less <= found.high
    assert 1 - covered / SIMULATIONS <= binomial_bound(0.05)


def test_interval_and_mark_of_two_single_runs_agree() -> None:
    for gained, lost in itertools.product(range(60), range(60)):
        p_value = mcnemar(gained, lost)
        found = paired_shares(gained, lost, gained + lost + 200)
        assert (found.low <= 0 <= found.high) == (p_value >= 0.05)
