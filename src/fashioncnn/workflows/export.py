"""export: from a run to a bundle that answers as its network does, wherever ONNX runs."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from fashioncnn.benchmarking.onnx_latency import measure_speeds
from fashioncnn.bundles import bundle as parts
from fashioncnn.bundles.bundle import LOGITS, Bundle, open_bundle, open_session, run_session
from fashioncnn.bundles.facts import (
    MAX_WORDS,
    Facts,
    Quantised,
    Range,
    TestFigures,
    Threshold,
    TrainedOn,
)
from fashioncnn.console.say import say
from fashioncnn.data.images import LabelledImages
from fashioncnn.data.sources.fashion_mnist import NAME as FASHION_MNIST
from fashioncnn.errors import BundleError, RunError
from fashioncnn.evaluation.intervals import Interval
from fashioncnn.evaluation.out_of_distribution import KNOWN_KEPT_PERCENT, signs
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.run_groups import intervals
from fashioncnn.explanation.feature_maps import feature_maps
from fashioncnn.explanation.stages import stages
from fashioncnn.exporting.graph import NEWEST_OPSET, OLDEST_OPSET, OPSET, Graph, to_onnx
from fashioncnn.exporting.hub import push as push_to_hub
from fashioncnn.exporting.new_bundle import NewBundle, check_place, put
from fashioncnn.exporting.parity import check_parity, odd_pictures
from fashioncnn.exporting.quantise import CALIBRATION_PICTURES, quantised
from fashioncnn.models.parts import parts_of
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun, open_runs
from fashioncnn.opening.trained import Trained
from fashioncnn.recipes.load import dump
from fashioncnn.runs import artifacts
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated, predictions_of
from fashioncnn.workflows.explore import explorer_page

UNSTATED = "not stated"
INT8_BOUND_POINTS = 0.3


@user_code()
def export(
    run: AnyRun,
    out: Path | str | None = None,
    *,
    int8: bool = False,
    int8_bound_points: float = INT8_BOUND_POINTS,
    maps: bool = False,
    opset: int = OPSET,
    license: str | None = None,  # noqa: A002 the option's name
    push: str | None = None,
    explorer: bool | None = None,
    data: Data = None,
) -> Bundle:
    """Write `run`'s network as a bundle at `out`, else in the run, and return it opened.

    A folder with one run in it stands for that run.

    The ONNX file takes uint8 pictures, preparation inside, and returns logits, probabilities,
    energy and embedding, with `maps` the answers of each stage, too. It is compared with PyTorch on
    all test pictures and on odd ones. With `int8` it computes in eight bits, and is refused when it
    loses more than `int8_bound_points` of test accuracy. explorer.html comes along, in which the
    network runs (see `explore`), where that page can compute it, unless `explorer` says no; as it
    holds test and training pictures, it is pushed only where `explorer` says yes. A bundle that is
    there already is replaced, whole. `push` uploads it as OWNER/NAME to the Hugging Face hub.

    Weights of Fashion-MNIST are under MIT unless `license` says something else. Equal runs give
    equal bytes, but for speed.json. Raises BundleError where ONNX cannot say what the network does
    or answers differ; nothing is written then.
    """
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise BundleError(f"opset {opset}: {OLDEST_OPSET} to {NEWEST_OPSET} can be written")
    if not 0 <= int8_bound_points <= 100:
        raise BundleError(f"int8_bound_points is {int8_bound_points}; it must be 0 to 100")
    if license is not None and len(license) > MAX_WORDS:
        raise BundleError(f"license has {len(license)} characters; at most {MAX_WORDS} are allowed")
    found = open_runs([run])
    if len(found) > 1:
        raise RunError(f"{run} has {len(found)} runs: name the one to export")
    trained = open_evaluated(found[0], data, "cpu")
    folder = Path(out) if out is not None else trained.run.path / "bundle"
    check_place(folder)
    wanted = explorer if explorer is not None else push is None
    export = _Export(trained, maps, opset, license, int8, wanted)
    say("writing the network as ONNX, and comparing it with PyTorch")
    made = export.fp32()
    if int8:
        say("quantising to int8")
        made = export.int8(made, int8_bound_points)
    put(folder, made)
    if push:
        say(f"at {push_to_hub(folder, push)}")
    return open_bundle(folder)


@dataclass(frozen=True)
class _Export:
    """What is exported, and how."""

    trained: Trained
    maps: bool
    opset: int
    license: str | None
    in_int8: bool
    with_explorer: bool

    @cached_property
    def _test(self) -> LabelledImages:
        return self.trained.pictures("test", "export")

    @cached_property
    def _predictions(self) -> Predictions:
        return predictions_of(self.trained)

    def fp32(self) -> NewBundle:
        """Return the bundle of the network as it is. Raises BundleError unless it is the same."""
        trained, odd = self.trained, odd_pictures(self._test.images_NHWC.shape[1:])
        graph = self._graph()
        images = np.concatenate([self._test.images_NHWC, odd])
        with torch.no_grad():
            of_odd = trained.network(trained.prepared(odd)).numpy()
        rows = np.zeros(len(images), np.int64)
        logits = np.concatenate([self._predictions.logits, of_odd])
        wanted = Predictions(logits, rows, rows, trained.class_names)
        probabilities = np.exp(wanted.at_temperature(trained.temperature).log_probabilities)
        parity = check_parity(open_session(graph.content), images, probabilities)
        state = trained.network.state_dict()
        weights = safetensors.torch.save(
            {name: _narrow(value).contiguous() for name, value in state.items()},
            {"format": "pt"},
        )
        sureness = trained.sureness
        facts = Facts(
            name=trained.recipe.name,
            recipe=trained.recipe.name,
            class_names=trained.class_names,
            channels=trained.shape.channels,
            height=trained.shape.height,
            width=trained.shape.width,
            photographs=trained.photographs,
            temperature=trained.temperature,
            not_sure_below=sureness.probability,
            not_sure_energy=sureness.energy if math.isfinite(sureness.energy) else None,
            thresholds=self._thresholds(),
            energy_of_known=self._energy_of_known(),
            precision="fp32",
            opset=self.opset,
            parameters=sum(one.numel() for one in trained.network.parameters()),
            features=graph.features,
            maps=graph.maps,
            trained_on=self._trained_on(),
            license=self._license(),
            weights_sha256=hashlib.sha256(weights).hexdigest(),
            versions={name: version(name) for name in ("fashioncnn", "torch", "onnx")},
            test=self._figures(),
            parity=parity,
            quantised=None,
        )
        page = self._explorer(graph.content)
        return NewBundle(facts, graph.content, weights, dump(trained.recipe), page)

    def int8(self, made: NewBundle, bound_points: float) -> NewBundle:
        """Return the bundle in eight bits. Raises BundleError where it loses more than allowed."""
        pictures, words = self._calibration()
        model = quantised(made.model, pictures)
        (logits,) = run_session(open_session(model), self._test.images_NHWC, [LOGITS])
        answered, before = logits.argmax(1), made.facts.test.accuracy.value
        accuracy = float((answered == self._test.labels).mean())
        points = 100 * (accuracy - before)
        if points < -bound_points:
            raise BundleError(
                f"int8 changes test accuracy by {points:+.2f} points, from {before:.4f} to "
                f"{accuracy:.4f}; the bound is {bound_points:g} (--int8-bound); nothing was written"
            )
        told = Quantised(
            calibration=words,
            accuracy=accuracy,
            fp32_accuracy=before,
            accuracy_points=points,
            changed_answers=int((answered != self._predictions.predicted).sum()),
            bytes=len(model),
            fp32_bytes=len(made.model),
        )
        facts = made.facts.model_copy(update={"precision": "int8", "quantised": told})
        speed = measure_speeds(made.facts, {"fp32": made.model, "int8": model})
        return replace(made, facts=facts, model=model, speed=speed)

    def _graph(self) -> Graph:
        trained = self.trained
        shown = None
        if self.maps:
            layers = parts_of(trained.network).shown
            found = feature_maps(trained.network, trained.prepared(self._test.images_NHWC[:1]))
            shown = {name: layers[name] for name in stages(trained.network, found)}
        return to_onnx(
            trained.network,
            trained.preparation,
            trained.shape,
            temperature=trained.temperature,
            maps=shown,
            opset=self.opset,
        )

    def _calibration(self) -> tuple[NDArray[np.uint8], str]:
        """Return pictures that set the scales of int8, never test's, and what they are."""
        try:
            pictures, words = self.trained.pictures("validation", "export"), "validation"
        except RunError:
            # The recipe trains on all.
            pictures, words = self.trained.data.train, "training"
        chosen = np.random.default_rng(0).permutation(len(pictures))[:CALIBRATION_PICTURES]
        return pictures.images_NHWC[np.sort(chosen)], f"{len(chosen)} {words} pictures"

    def _explorer(self, onnx_file: bytes) -> str | None:
        """Return the page in which the network runs, where it is wanted and can compute it."""
        if not self.with_explorer:
            return None
        note = ", in fp32" if self.in_int8 else ""
        try:
            page = explorer_page([self.trained], onnx_file=onnx_file, note=note)
        except BundleError as error:
            say(f"leaving {parts.EXPLORER} out: {error}")
            return None
        if (size := len(page.encode())) > parts.MAX_EXPLORER_BYTES:
            allowed = parts.MAX_EXPLORER_BYTES
            say(f"leaving {parts.EXPLORER} out: {size:,} bytes; {allowed:,} are allowed")
            return None
        return page

    def _figures(self) -> TestFigures:
        found = intervals([self._predictions])
        return TestFigures(
            images=len(self._predictions.labels),
            accuracy=_range(found["test/accuracy"]),
            f1_macro=_range(found["test/f1_macro"]),
            f1_weighted=_range(found["test/f1_weighted"]),
        )

    def _thresholds(self) -> tuple[Threshold, ...]:
        kept = self.trained.kept.get(artifacts.CONFIDENCE)
        return tuple(Threshold(**asdict(one)) for one in (kept and kept.thresholds) or ())

    def _energy_of_known(self) -> float | None:
        arrays = self.trained.kept.get(artifacts.predictions("validation"))
        if arrays is None:
            return None
        energy = signs(Predictions.from_arrays(arrays))["energy"]
        return float(np.percentile(energy, 100 - KNOWN_KEPT_PERCENT))

    def _trained_on(self) -> TrainedOn:
        run = self.trained.run
        return TrainedOn(
            # A folder may be called what JSON cannot say.
            name=run.trained_on.name.encode(errors="backslashreplace").decode()[:MAX_WORDS],
            train_images=self._train_images(),
            train_sha256=run.trained_on.sha256,
            seed=run.seed,
        )

    def _train_images(self) -> int:
        """Return how many pictures it was fitted to, as `build_splits` divides them."""
        told, data = self.trained.run.provenance, self.trained.data
        images = int((told.get("data_set") or {}).get("train_images", len(data.train)))
        validated = int(told["split"]["validation_images"])
        if data.validation is None:
            return images - validated
        return images if validated else images + len(data.validation)

    def _license(self) -> str:
        of_data = "MIT" if self.trained.run.trained_on.name == FASHION_MNIST else UNSTATED
        return self.license if self.license is not None else of_data


def _range(interval: Interval) -> Range:
    return Range(value=interval.value, low=interval.low, high=interval.high)


def _narrow(value: torch.Tensor) -> torch.Tensor:
    """Return fp32 weights as fp16 where that loses nothing."""
    half = value.half()
    return half if value.dtype == torch.float32 and torch.equal(half.float(), value) else value
