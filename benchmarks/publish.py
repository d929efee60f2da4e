"""Carry measured results to where people read them: README's tables, the figure, the promises.

A result says by which command it was measured; where that command is gone, `again` in the result
names the one that measures the same today. With --check, nothing is written: it fails where a
document is not what the results say, a recipe not the one that was measured, or a command not one
that exists.

Usage: python benchmarks/publish.py [--check]
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from fashioncnn.cli.verbs import app
from fashioncnn.recipes.load import builtin_names, load, validate
from ladder import draw_ladder, ladder_table
from photograph_tables import parts_tables, photographs_table
from published import Result, command, named, result, spread
from shared import RESULTS, ROOT

EXPLORE = ROOT / "docs" / "how-to" / "explore.md"
AMX = ROOT / "docs" / "findings" / "amx.md"
PHOTOGRAPHS = ROOT / "docs" / "how-to" / "photographs.md"
RECIPES = ROOT / "src" / "fashioncnn" / "recipes" / "builtin"
FIGURE = ROOT / "docs" / "speed.png"
BLOCK = "<!-- {}: made by benchmarks/publish.py -->"
END = "<!-- end of {} -->"
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


def seeds_table() -> str:
    """Return README's table of the seed systems, in Markdown."""
    lines = [
        "| | accuracy, % | weighted F1 | Shirt F1 | epochs alone, s | whole run, s | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ("two-conv", "three-conv"):
        reported = load(name).reported
        assert reported is not None
        shirt = reported.classes["Shirt"].f1
        weighted = "–" if reported.f1_weighted is None else f"{reported.f1_weighted:.2f}"
        lines.append(
            f"| {name}, as reported | {100 * reported.accuracy:.2f} | {weighted} "
            f"| {shirt:.2f} | – | – | – |"
        )
        for suffix, words in (("", ""), ("-bf16", " `--precision bf16`"), ("-ordinary", "")):
            if measured := result(f"{name}{suffix}"):
                label = "the ordinary way" if suffix == "-ordinary" else f"**`{name}`**{words}"
                lines.append(f"| {label} | {_cells(measured)} |")
    return "\n".join([*lines, "", *_seed_words()])


def _cells(measured: Result) -> str:
    return " | ".join(
        [
            spread(measured, "test/accuracy", 100),
            spread(measured, "test/f1_weighted", digits=4),
            spread(measured, "test/f1/Shirt", digits=3),
            spread(measured, "train/seconds", digits=1),
            spread(measured, "run/seconds", digits=1),
            str(measured["n"]),
        ]
    )


def _seed_words() -> list[str]:
    measured = result("two-conv")
    if measured is None:
        return []
    versions, machine = measured["versions"], measured["machine"]
    faster = [
        f"{result['ratios']['two-conv-ordinary']['median']:.2f} times faster {words}"
        for result, words in ((measured, "in fp32"), (named("two-conv-bf16"), "in bf16"))
    ]
    return [
        f"Mean ± standard deviation over n seeds, on {machine['hardware']}, torch "
        f"{versions['torch']}, Python {versions['python']}, {measured['date']}, commit "
        f"{measured['commit'][:7]}; made again by `{command(measured)}`. Test is read once a run, "
        "by the weights that are best on validation. Whole runs of `two-conv` are "
        f"{' and '.join(faster)} than the ordinary way (Pillow, DataLoader, unfused Adam; the "
        "same network and epochs; median of the ratios pair by pair).",
    ]


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


def explorer_table() -> str:
    """Return the table of the explorer's pages, in Markdown."""
    measured = named("explorer")
    lines = [
        "| | parameters | page, MB | first answer, s | one pass, ms | frames/s while drawing "
        "| largest difference of a probability | answers changed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in measured["networks"].items():
        lines.append(
            f"| {name} | {one['parameters']:,} | {one['bytes'] / 1e6:.2f} "
            f"| {one['seconds_to_first_answer']:.2f} | {one['milliseconds_a_pass']:.1f} "
            f"| {one['drawing']['frames_per_second']:.0f} | {one['largest_difference']:.1e} "
            f"| {one['changed_answers']} of {one['pictures']:,} |"
        )
    return "\n".join(
        [
            *lines,
            "",
            f"One run of each recipe, by `{command(measured)}` on {measured['hardware']}, chromium "
            f"{measured['chromium']} without a screen and without a graphics processor. A pass "
            "makes every feature map, on one core.",
        ]
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


def promise(name: str) -> str | None:
    """Return a recipe's table `promise`, as TOML."""
    measured = result(name)
    if measured is None:
        return None
    accuracy = measured["metrics"]["test/accuracy"]
    return "\n".join(
        [
            "[promise]  # written by benchmarks/publish.py",
            f"test_accuracy_percent = {100 * accuracy['mean']:.2f}",
            f"std_percent = {100 * accuracy['std']:.2f}",
            f"n = {measured['n']}",
            f"seconds = {measured['metrics']['train/seconds']['mean']:.1f}",
            f"hardware = {json.dumps(measured['machine']['hardware'])}",
            f"command = {json.dumps(_own_command(name, measured))}",
            "",
        ]
    )


def _own_command(name: str, measured: Result) -> str:
    """Return what measures one recipe by itself."""
    if measured["command"] != command(measured):
        return command(measured)
    return f"fashioncnn bench speed {name} --seeds {measured['n']}"


def gone() -> list[str]:
    """Return the commands of results, and of recipes, that do not exist any more."""
    commands = {
        command(json.loads(path.read_text()))
        for path in RESULTS.rglob("*.json")
        if "command" in json.loads(path.read_text())
    }
    for name in builtin_names():
        if promised := load(name).promise:
            commands.add(promised.command)
    return sorted(one for one in commands if not exists(one))


def exists(typed: str) -> bool:
    """Say whether a command's script is there, or its verb takes these options."""
    program, *words = shlex.split(typed)
    if program == "python" and words[:2] == ["-m", "fashioncnn"]:
        program, words = "fashioncnn", words[2:]
    if program == "python":
        return (ROOT / words[0]).is_file()
    if program != "fashioncnn":
        return False
    verb: Any = typer.main.get_command(app)
    while words and not words[0].startswith("-") and hasattr(verb, "commands"):
        verb = verb.commands.get(words.pop(0))
    if verb is None or hasattr(verb, "commands"):
        return False
    options = {option for parameter in verb.params for option in parameter.opts}
    return {word for word in words if word.startswith("-")} <= options


def published() -> dict[Path, str]:
    """Return what every file that carries results should hold."""
    readme = ROOT / "README.md"
    tables = {"seeds": seeds_table(), "speed": speed_table(), "ladder": ladder_table()}
    files = {
        readme: _filled(readme, tables),
        EXPLORE: _filled(EXPLORE, {"explorer": explorer_table()}),
        AMX: _filled(AMX, {"amx": amx_table()}),
        PHOTOGRAPHS: _filled(
            PHOTOGRAPHS, {"photographs": photographs_table(), "parts": parts_tables()}
        ),
    }
    for name in builtin_names():
        path = RECIPES / f"{name}.toml"
        if (written := promise(name)) is not None:
            plain = re.split(r"\n\[promise\]", path.read_text())[0].rstrip()
            files[path] = f"{plain}\n\n{written}"
    return files


def _filled(path: Path, tables: dict[str, str]) -> str:
    """Return a document with these tables in their places."""
    text = path.read_text()
    for block, content in tables.items():
        begin, end = BLOCK.format(block), END.format(block)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


def moved() -> list[str]:
    """Return the recipes that have changed since they were measured, where the result tells."""
    found = []
    for name in builtin_names():
        settings = (result(name) or {}).get("settings")
        if (
            settings
            and validate({"name": name} | settings, name).settings() != load(name).settings()
        ):
            found.append(name)
    return found


def main() -> None:
    """Write the files, or with --check say which are not as the results have it."""
    for name in (changed := moved()):
        print(f"{name} is not the recipe that was measured: measure it anew")
    if changed:
        sys.exit(1)
    stale = {path: text for path, text in published().items() if path.read_text() != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from benchmarks/results: run publish.py")
        for typed in (missing := gone()):
            print(f"no such command: {typed}")
        sys.exit(1 if stale or missing else 0)
    for path, text in stale.items():
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    draw_speed()
    draw_ladder()


if __name__ == "__main__":
    main()
