"""How far the network's probabilities can be trusted, and what answering only when sure gives."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter, StrMethodFormatter

from fashioncnn.evaluation.calibration import Calibration
from fashioncnn.evaluation.confidence import Confidence
from fashioncnn.evaluation.intervals import wilson
from fashioncnn.reporting.documents.run import RiskCoverageCurve
from fashioncnn.reporting.style import FAINT, INK, TRAINING, VALIDATION


def reliability(confidence: Confidence) -> Figure:
    """Draw accuracy against confidence, before and after the temperature, and how often each."""
    figure = Figure(figsize=(6.4, 5.0))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    upper.plot([0, 1], [0, 1], color=FAINT, lw=1, ls=":", label="true probabilities")
    found = [("as trained", confidence.as_trained, TRAINING, "--o")]
    if mended := confidence.with_temperature:
        words = f"with temperature {mended.temperature:.2f}"
        found.append((words, mended, VALIDATION, "-s"))
    for words, values, colour, style in found:
        _curve(upper, values, words, colour, style)
    _counts(lower, found[-1][1], found[-1][2])
    upper.set_title("Are the probabilities true?")
    upper.set_ylabel("accuracy")
    upper.legend(loc="lower right", fontsize=8.5)
    upper.set_ylim(-0.03, 1.03)
    lower.set_xlabel("how sure the network was of its answer")
    for axes in (upper, lower):
        axes.grid(axis="y")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    upper.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def _curve(axes: Axes, found: Calibration, words: str, colour: str, style: str) -> None:
    sure = [one.confidence for one in found.bins]
    right = [one.accuracy for one in found.bins]
    intervals = [wilson(round(one.accuracy * one.n), one.n) for one in found.bins]
    below = [max(0.0, one.value - one.low) for one in intervals]
    above = [max(0.0, one.high - one.value) for one in intervals]
    axes.errorbar(
        sure,
        right,
        yerr=[below, above],
        fmt=style,
        color=colour,
        ms=4,
        lw=1.4,
        elinewidth=0.8,
        label=f"{words}: ECE {found.ece:.2%}",
    )


def _counts(axes: Axes, found: Calibration, colour: str) -> None:
    axes.bar(
        [one.confidence for one in found.bins],
        [one.n for one in found.bins],
        width=0.035,
        color=colour,
    )
    axes.set_yscale("log")
    # A single picture can be seen, and a number stands beside the axis.
    axes.set_ylim(0.7, None)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("pictures")


def coverage(curve: RiskCoverageCurve, confidence: Confidence) -> Figure:
    """Draw the share of wrong answers against the share of pictures answered."""
    figure = Figure(figsize=(6.4, 5.0))
    axes = figure.add_subplot()
    axes.plot(curve.coverage, curve.risk, color=VALIDATION, lw=2)
    axes.plot(1, curve.risk[-1], "o", color=VALIDATION)
    axes.annotate(
        f"all answered: {curve.risk[-1]:.1%} wrong",
        (1, curve.risk[-1]),
        xytext=(4, 8),
        textcoords="offset points",
        ha="right",
    )
    # On few pictures, several tolerated errors may come to the same threshold.
    for at in {(one.coverage, one.risk): one for one in confidence.thresholds or ()}.values():
        axes.plot(at.coverage, at.risk, "s", color=INK, ms=5)
        left = at.coverage > 0.5
        axes.annotate(
            f"{at.confidence:.0%} sure: {at.coverage:.0%} answered, {at.risk:.1%} wrong",
            (at.coverage, at.risk),
            xytext=(-8 if left else 8, 3),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=8.5,
        )
    axes.set_title("Answering only when sure")
    axes.set_xlabel("share of the pictures answered, the surest first")
    axes.set_ylabel("share of the answers that are wrong")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, None)
    axes.grid(axis="y")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    return figure
