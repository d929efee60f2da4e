"""Tables of what was measured, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fashioncnn.cli.tables import spread, table

if TYPE_CHECKING:
    from fashioncnn.benchmarking.machine import Machine
    from fashioncnn.workflows.bench_record import Record


def machine(measured: Machine) -> str:
    """Show a machine's facts and peaks."""
    bf16 = "no instructions for it"
    if measured.bf16_gflops is not None:
        bf16 = f"{measured.bf16_gflops:,.0f} GFLOP/s"
    return "\n".join(
        [
            f"hardware         {measured.hardware}, {measured.memory_gib:g} GiB",
            f"matrices, fp32   {measured.fp32_gflops:,.0f} GFLOP/s",
            f"matrices, bf16   {bf16}",
            f"memory copies    {measured.memory_gb_per_second:.1f} GB/s read and written",
        ]
    )


def record(found: Record) -> str:
    """Say whether it is a record, and what that rests on."""
    verdict = f"no record of {found.percent:g} %" if found.reasons else f"a record: {found.folder}"
    lines = [
        verdict,
        *(f"  {reason}" for reason in found.reasons),
        f"test accuracy  {found.accuracy_mean:.2f} ± {found.accuracy_std:.2f} %, n = {found.n}, "
        f"p = {found.accuracy_p_value:.2g}",
        f"training time  {found.seconds_mean:.1f} ± {found.seconds_std:.1f} s on {found.hardware}",
    ]
    if found.times_previous is not None:
        lines.append(
            f"× {found.previous}  {found.times_previous:.3f}, p = {found.previous_p_value:.2g}"
        )
    if found.times_ordinary is not None:
        lines.append(f"× ordinary     {found.times_ordinary:.2f}")
    return "\n".join(lines)


def speed(results: Sequence[dict[str, Any]]) -> str:
    """Show what was measured of each way to train."""
    heading = ["", "accuracy, %", "training, s", "whole run, s", "n", "images/s", "of peak", "MiB"]
    rows = [heading]
    for result in results:
        metrics = result["metrics"]
        rows.append(
            [
                result["name"],
                spread(metrics["test/accuracy"]["values"]).removesuffix(" %"),
                _seconds(metrics["train/seconds"]),
                _seconds(metrics["run/seconds"]),
                str(result["n"]),
                _figure(metrics, "train/images_per_second", ",.0f"),
                _figure(metrics, "train/peak_share", ".0%"),
                _figure(metrics, "train/peak_memory_mib", ",.0f"),
            ]
        )
    lines = [
        f"{result['name']} trains {ratio['median']:.2f} times as fast as {peer} "
        f"(pairs: {', '.join(f'{value:.2f}' for value in ratio['values'])})"
        for result in results
        for peer, ratio in result["ratios"].items()
    ]
    return "\n".join([table(rows), *([""] if lines else []), *lines])


def prediction_speed(measured: dict[str, Any]) -> str:
    """Show throughput and latency by batch size."""
    rows = [["batch", "images/s", "p50, ms", "p99, ms", "calls"]]
    rows += [
        [
            f"{batch['batch_size']:,}",
            f"{batch['images_per_second']:,.0f}",
            f"{batch['p50_milliseconds']:.2f}",
            f"{batch['p99_milliseconds']:.2f}",
            f"{batch['calls']:,}",
        ]
        for batch in measured["batches"]
    ]
    heading = f"{measured['recipe']}, {measured['precision']} on {measured['hardware']}"
    return f"{heading}\n\n{table(rows)}"


def _seconds(metric: dict[str, Any]) -> str:
    spread = "" if metric["std"] is None else f" ± {metric['std']:.1f}"
    return f"{metric['mean']:.1f}{spread}"


def _figure(metrics: dict[str, Any], name: str, form: str) -> str:
    return format(metrics[name]["mean"], form) if name in metrics else "–"
