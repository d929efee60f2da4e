"""README's table and figure of the speed recipes, and the table of a processor with AMX."""

from __future__ import annotations

from published import Result, command, named, result, spread
from shared import ROOT

FIGURE = ROOT / "docs" / "speed.png"
# Recipes measured on a processor with AMX, and the result of the same recipe without it.
AMX_BESIDE = {
    "fast-92": "fast-92-previous",
    "fast-93": "fast-93-previous",
    "fast-94": "fast-94-previous",
}
FAST = ("fast-92", "fast-93", "fast-94", "fast-95")
# The same recipes on a GPU.
ON_GPU = tuple(f"gpu/{name}" for name in FAST)
PEERS = {
    "fast-94-wide": "`fast-94` as it was, another run",
    "fast-95-previous": "`fast-95` as it was, another run",
    "ordinary": "the ordinary way of `two-conv`",
    "skorch_fit": "its network in skorch, on a Xeon",
    "lightning_trainer": "its network in the Lightning Trainer, on a Xeon",
}


def speed_table() -> str:
    """Return README's table of speed recipes and peers, in Markdown."""
    lines = [
        "| | test accuracy, % | to trained weights, s | whole run, s | × ordinary | images/s "
        "| of peak | MiB | n |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = {name: f"**`{name}`**" for name in FAST} | PEERS
    names |= {name: f"**`{name.removeprefix('gpu/')}`** on a GPU" for name in ON_GPU}
    measured = {name: found for name in names if (found := result(name))}
    lines += [f"| {names[name]} | {_speed_cells(one)} |" for name, one in measured.items()]
    if not measured.keys() & set(ON_GPU):
        lines.append("| the speed recipes on a GPU | not measured | – | – | – | – | – | – | – |")
    return "\n".join([*lines, "", _speed_words(measured)])


def _speed_cells(measured: Result) -> str:
    metrics = measured["metrics"]
    ratio = measured["ratios"].get("ordinary")
    own = "train/images_per_second" in metrics
    return " | ".join(
        [
            spread(measured, "test/accuracy", 100),
            spread(measured, "train/seconds", digits=1),
            spread(measured, "run/seconds", digits=1),
            _times(ratio["median"]) if ratio else "1" if measured["name"] == "ordinary" else "–",
            f"{metrics['train/images_per_second']['mean']:,.0f}" if own else "–",
            f"{metrics['train/peak_share']['mean']:.0%}" if own else "–",
            f"{metrics['train/peak_memory_mib']['mean']:,.0f}",
            str(measured["n"]),
        ]
    )


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def _speed_words(measured: dict[str, Result]) -> str:
    first = measured["fast-94"]
    warm_up = first["metrics"]["train/warm_up_seconds"]["mean"]
    commands: dict[str, list[str]] = {}
    for name in (*FAST, *ON_GPU):
        if one := measured.get(name):
            machine = one["machine"]
            how = (
                f"`{command(one)}`, {one['date']}, on {machine['hardware']} (matrix products "
                f"{machine['bf16_gflops']:,.0f} GFLOP/s in bf16, {machine['fp32_gflops']:,.0f} in "
                f"fp32), torch {one['versions']['torch']}"
            )
            commands.setdefault(how, []).append(f"`{name.removeprefix('gpu/')}`")
    runs = "; ".join(f"{', '.join(names)} by {how}" for how, names in commands.items())
    on_gpu = (
        "On a GPU, its libraries have started before (`--warm`), and MiB are of its own memory. "
        if measured.keys() & set(ON_GPU)
        else ""
    )
    return (
        f"Mean ± standard deviation over n seeds: {runs}. Trained on "
        "all 60,000 pictures with settings chosen on validation; test is read once a run, plain, "
        "without test-time augmentation. The clock starts with uint8 pictures in memory and stops "
        f"at the final weights; the first step, {warm_up:.1f} s with the making of kernels, is "
        f"inside. A whole run is the two commands `train` and `evaluate`. {on_gpu}× ordinary: "
        "median of "
        "the ratios of times to trained weights, seed by seed, alternating in one run with the "
        "ordinary way."
    )


def amx_table() -> str:
    """Return the speed recipes measured with AMX and without it, in Markdown."""
    lines = [
        "| | AMX: accuracy, % | s | × ordinary | of peak | AVX-512: accuracy, % | s | × ordinary "
        "| of peak |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, other in AMX_BESIDE.items():
        cells = [_amx_cells(named(one)) for one in (f"amx/{name}", other)]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    lines.append("")
    for name, words in (("amx/fast-94", "AMX"), ("fast-94-previous", "AVX-512")):
        one = named(name)
        lines.append(
            f"{words}: `{command(one)}`, {one['date']}, on {one['machine']['hardware']} (matrix "
            f"products {one['machine']['bf16_gflops']:,.0f} GFLOP/s in bf16), torch "
            f"{one['versions']['torch']}."
        )
    return "\n".join(lines)


def _amx_cells(measured: Result) -> str:
    return " | ".join(
        [
            f"{spread(measured, 'test/accuracy', 100)} (n = {measured['n']})",
            spread(measured, "train/seconds", digits=1),
            _times(measured["ratios"]["ordinary"]["median"]),
            f"{measured['metrics']['train/peak_share']['mean']:.0%}",
        ]
    )


def draw_speed() -> None:
    """Draw accuracy against time, all recipes and peers."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from fashioncnn.reporting.style import DPI, FAINT, INK, SETTINGS, VALIDATION

    labels = {name: name for name in (*FAST, "two-conv", "two-conv-bf16", "three-conv")}
    # The other peers were measured on another machine: their seconds are not comparable.
    labels["ordinary"] = "ordinary way"
    # Points that lie close together are named on different sides; in points, from the marker.
    places = {"two-conv": (-22, 14), "three-conv": (8, -14), "two-conv-bf16": (-50, 24)}
    places["fast-95"] = (-64, -5)
    with rc_context(SETTINGS):
        figure = Figure(figsize=(8, 4.6))
        axes = figure.add_subplot()
        for name, label in labels.items():
            if (found := result(name)) is None:
                continue
            seconds, accuracy = (
                found["metrics"][key] for key in ("train/seconds", "test/accuracy")
            )
            colour = VALIDATION if name in FAST else INK if name in PEERS else FAINT
            axes.errorbar(
                seconds["mean"],
                100 * accuracy["mean"],
                100 * (accuracy["std"] or 0),
                seconds["std"] or 0,
                marker="o" if name not in PEERS else "s",
                color=colour,
                capsize=2,
                lw=1,
            )
            axes.annotate(
                label,
                (seconds["mean"], 100 * accuracy["mean"]),
                textcoords="offset points",
                xytext=places.get(name, (8, 6)),
                color=INK if colour == FAINT else colour,
                weight="bold" if name in FAST else "normal",
            )
        axes.set_xscale("log")
        axes.set_xlim(4, 1500)
        ticks = [5, 10, 20, 50, 100, 200, 500, 1000]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("seconds to trained weights, two processor cores (log scale)")
        axes.set_ylabel("test accuracy, %")
        axes.set_title("Accuracy against time; bars: standard deviation over seeds")
        axes.grid(visible=True)
        figure.savefig(FIGURE, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
