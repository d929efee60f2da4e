"""The explorer: it computes what PyTorch does, shows everything, asks nobody for anything."""

from __future__ import annotations

import base64
import json
import math
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page
from torch import Tensor, nn

import fashioncnn as fc
from conftest import Cli, make_pictures
from explorer_operators import answered, as_json, cases
from fashioncnn.bundles.bundle import EMBEDDING, EXPLORER, LOGITS, open_session, run_session
from fashioncnn.data.images import LabelledImages, Shape
from fashioncnn.data.preparation import Preparation
from fashioncnn.data.sources.npz_file import write_npz
from fashioncnn.errors import BundleError, RunError
from fashioncnn.evaluation.predictions import Predictions
from fashioncnn.evaluation.sureness import Sureness
from fashioncnn.explorer.choice import choose, prototypes
from fashioncnn.explorer.page import Network, Pictures, page
from fashioncnn.explorer.program import halves, known_operators, program
from fashioncnn.exporting.graph import to_onnx
from fashioncnn.recipes.build import build_network, build_preparation
from fashioncnn.recipes.files import builtin_names
from fashioncnn.recipes.load import load
from fashioncnn.reporting.style import class_colours
from firefox import PROGRAM, firefox
from test_serving import serving
from watching import watch

NETWORKS = Path(__file__).parent / "networks"
AXE = Path.home() / ".cache" / "fashioncnn-tests" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("overview", "channel", "why", "whatif", "about")
GREY = Shape(1, 28, 28)
HOSTILE = "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
# What a cell sees, and the page's own figures, are of fp16 weights.
CLOSE = 2e-3
CELLS = """(cells) => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const network = new Networks.Network(data.networks[0].program);
  const size = data.shape.height * data.shape.width * data.shape.channels;
  const pixels = Networks.bytesOf(data.test.pixels);
  const all = data.test.labels.map((_, at) =>
    network.run(pixels.subarray(at * size, (at + 1) * size)));
  let worst = 0;
  let seed = 1;
  const random = (most) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % most;
  };
  for (const stage of network.stages) {
    for (let at = 0; at < cells; at += 1) {
      const told = Insight.explain(network, all[at % all.length], stage.id,
        random(stage.channels), random(stage.height), random(stage.width));
      const apart = Math.abs(told.value - told.shown) / Math.max(1, Math.abs(told.shown));
      if (!(apart <= worst)) worst = apart;
    }
  }
  return {
    worst,
    stages: network.stages.length,
    logits: all.map((values) => Array.from(values.get("logits").data)),
    embedding: all.map((values) => Array.from(values.get("embedding").data)),
  };
}"""
OPERATORS = """(given) => given.map(({ op, inputs, attributes }) => {
  const tensors = inputs.map((one) => one && { shape: one.shape,
    data: (one.float ? Float32Array : Float64Array).from(one.values) });
  const answer = Tensors.OPERATORS[op](tensors.map((one) => one ?? undefined), attributes);
  return (Array.isArray(answer) ? answer : [answer]).map(({ shape, data }) =>
    ({ shape, values: Array.from(data, Number) }));
})"""


def noise(shape: Shape, n: int, classes: int = 10) -> LabelledImages:
    size = (n, shape.height, shape.width, shape.channels)
    images = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    names = tuple(f"class {at}" for at in range(classes))
    return LabelledImages(images, np.arange(n) % classes, names)


def made(
    network: nn.Module,
    preparation: Preparation,
    pictures: LabelledImages,
    *,
    photographs: bool = False,
    sureness: Sureness = Sureness(0.3),  # noqa: B008 it is frozen
    onnx_file: bytes | None = None,
) -> tuple[str, NDArray[np.float32], NDArray[np.float32]]:
    """Return the page of a network, and what ONNX Runtime answers: logits, embedding."""
    shape = pictures.shape
    content = onnx_file or to_onnx(network.eval(), preparation, shape).content
    wanted = [LOGITS, EMBEDDING]
    logits, embedding = run_session(open_session(content), pictures.images_NHWC, wanted)
    given = Pictures(pictures, np.arange(len(pictures)), ("right",) * len(pictures))
    probabilities = torch.softmax(torch.from_numpy(logits), 1).numpy()
    one = Network(
        "a network",
        program(content, shape),
        temperature=1.0,
        sureness=sureness,
        parameters=1,
        accuracy="not measured",
        trained_on="noise",
        probabilities_NC=probabilities,
    )
    colours = list(class_colours(pictures.class_names).values())
    text = page("a page", [one], given, given, colours, 0, photographs=photographs)
    return text, logits, embedding


@contextmanager
def opened(
    browser: Browser | BrowserContext, file: Path, hash_: str = "", **how: Any
) -> Iterator[Page]:
    """Open a page made by us; whatever it asks of others or complains of is a fault."""
    tab = browser.new_page(**how)
    seen = watch(tab)
    tab.goto(f"{file.as_uri()}#{hash_}")
    tab.wait_for_selector("html[data-ready]", timeout=30_000)
    yield tab
    assert seen.complaints == []
    # What fails behind a promise is told in the page.
    assert "Something went wrong" not in str(tab.text_content("#said"))
    assert {url.split(":")[0] for url in seen.asked} <= {"file", "data", "blob"}
    assert [url.split("#")[0] for url in seen.asked if url.startswith("file:")] == [file.as_uri()]
    tab.close()


def until(tab: Page, expression: str, seconds: float = 20) -> None:
    """Wait until a script finds something true: the page's policy forbids Playwright's own way."""
    end = time.monotonic() + seconds
    while not tab.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        tab.wait_for_timeout(20)


@pytest.fixture(scope="module")
def explored(trained_once: Path, tiny_npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a tiny run, with its network before training."""
    out = tmp_path_factory.mktemp("explored")
    run = shutil.copytree(trained_once, out / trained_once.name)
    return fc.explore(run, out / "explorer.html", epochs=[0], pictures=60, data=tiny_npz)


def test_each_operator_computes_what_onnx_runtime_does(browser: Browser, tmp_path: Path) -> None:
    all_cases = cases()
    assert {case[0] for case in all_cases} == known_operators()
    (tmp_path / "page.html").write_text(tiny_page())
    with opened(browser, tmp_path / "page.html") as tab:
        found = tab.evaluate(OPERATORS, [as_json(case) for case in all_cases])
    for case, outputs in zip(all_cases, found, strict=True):
        wanted = answered(case)
        assert len(outputs) == len(wanted), case[0]
        for output, expected in zip(outputs, wanted, strict=True):
            assert output["shape"] == list(expected.shape), (case[0], case[2])
            values = np.array(output["values"]).reshape(expected.shape)
            np.testing.assert_allclose(
                values, expected, rtol=2e-5, atol=2e-6, err_msg=f"{case[0]} {case[2]}"
            )


@cache
def tiny_network() -> tuple[nn.Module, bytes]:
    """One layer, and its ONNX file."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    return network, to_onnx(network.eval(), Preparation(), GREY).content


def tiny_page(**how: Any) -> str:
    network, onnx_file = tiny_network()
    return made(network, Preparation(), noise(GREY, 2), onnx_file=onnx_file, **how)[0]


def networks() -> Iterator[Any]:
    for name in builtin_names():
        # Its millions of weights take half a minute, and no other operators.
        changes = {"model.channels": [8, 16, 32]} if name == "ten-epochs" else {}
        yield pytest.param(name, changes, GREY, 10, id=name)
    for name in ("lenet", "se_resnet", "depthwise", "vit", "mixer"):
        yield pytest.param(NETWORKS / f"{name}.toml", {}, GREY, 10, id=name)
    colour = {"data.image_size": [30, 40], "model.members": 2, "model.residual": True}
    yield pytest.param("fast-93", colour, Shape(3, 48, 64), 100, id="colour")
    average = {"model.pooling": "average", "model.stem_kernel_size": 4}
    yield pytest.param("fast-93", average, GREY, 3, id="average")


@pytest.mark.parametrize(("name", "changes", "shape", "classes"), list(networks()))
def test_networks_answer_as_in_pytorch_and_their_cells_add_up(
    browser: Browser,
    tmp_path: Path,
    name: str | Path,
    changes: dict[str, Any],
    shape: Shape,
    classes: int,
) -> None:
    recipe = load(name, changes)
    torch.manual_seed(0)
    network = build_network(recipe, classes, shape.channels)
    with torch.no_grad():
        # Fresh statistics would make batch norm the identity.
        network.train()(torch.randn(32, shape.channels, *recipe.data.size))
    pictures = noise(shape, 4, classes)
    text, logits, embedding = made(network, build_preparation(recipe), pictures)
    (tmp_path / "page.html").write_text(text)
    with opened(browser, tmp_path / "page.html") as tab:
        found = tab.evaluate(CELLS, 1000)
    assert found["stages"] >= 3
    assert found["worst"] < 1e-5
    probabilities = torch.softmax(torch.from_numpy(logits), 1).numpy()
    here = torch.softmax(torch.tensor(found["logits"]), 1).numpy()
    assert np.abs(here - probabilities).max() < CLOSE
    scale = np.abs(embedding).max()
    np.testing.assert_allclose(np.array(found["embedding"]), embedding, atol=5e-3 * scale)


class Mixed(nn.Module):
    """What the built-in networks lack: group norm, SiLU, branches, odd pools and kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.GroupNorm(4, 8)
        self.wide = nn.Conv2d(8, 8, (1, 5), padding=(0, 2), bias=False)
        self.tall = nn.Conv2d(8, 4, (3, 1), stride=2, dilation=(2, 1), padding=(2, 0))
        self.mixed = nn.Conv2d(12, 12, 3, padding=1, groups=3)
        self.instance = nn.InstanceNorm2d(12, affine=True)
        self.pool = nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True)
        self.prelu = nn.PReLU(12)
        self.head = nn.Linear(12, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = nn.functional.silu(self.norm(self.first(images)))
        halved = nn.functional.max_pool2d(self.wide(x), 2)
        x = torch.cat([nn.functional.hardswish(halved), self.tall(x)], 1)
        x = self.pool(self.prelu(self.instance(self.mixed(x))))
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


def test_layers_of_all_kinds_are_told_apart(browser: Browser, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, pictures = Mixed(), noise(GREY, 3)
    nn.init.normal_(network.norm.weight)
    text, logits, _ = made(network, Preparation(), pictures)
    (tmp_path / "page.html").write_text(text)
    with opened(browser, tmp_path / "page.html") as tab:
        found = tab.evaluate(CELLS, 1000)
        told = tab.evaluate(
            "(() => { const data = JSON.parse(document.getElementById('data').textContent);"
            "return new Networks.Network(data.networks[0].program).stages.map((stage) => "
            "[stage.name, stage.steps.map(({ op }) => op).join(), stage.fromPicture]); })()"
        )
    np.testing.assert_allclose(np.array(found["logits"]), logits, atol=5e-3)
    assert found["worst"] < 1e-5
    assert told == [
        ["first", "GroupNormalization,x · sigmoid", True],
        ["wide", "", False],
        ["wide, pooled", "HardSwish", False],
        ["tall", "", False],
        ["mixed", "InstanceNormalization,PRelu", False],
        ["mixed, pooled", "", False],
        ["head", "", False],
    ]


def test_weights_are_rounded_so_that_errors_cancel() -> None:
    weights = np.random.default_rng(0).normal(size=(8, 16, 3, 3)).astype(np.float32)
    rounded = halves(weights)
    assert rounded.dtype == np.float16
    assert rounded.shape == weights.shape
    unit = np.spacing(np.abs(weights).astype(np.float16)).astype(np.float32)
    assert (np.abs(rounded - weights) <= 1.01 * unit.max()).all()
    lost = np.abs((rounded.astype(np.float64) - weights).sum((1, 2, 3)))
    plainly = np.abs((weights.astype(np.float16).astype(np.float64) - weights).sum((1, 2, 3)))
    assert lost.mean() < plainly.mean() / 3
    moved = np.moveaxis(weights, 0, -1)
    np.testing.assert_array_equal(halves(moved, last=True), np.moveaxis(rounded, 0, -1))


def test_which_pictures_come_along() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(1000) % 10
    logits = random.normal(size=(1000, 10)).astype(np.float32)
    logits[np.arange(1000), labels] += np.where(np.arange(1000) % 3 == 0, 0.0, 4.0)
    predictions = Predictions(logits, labels, np.arange(1000), tuple("abcdefghij"))
    rows, kinds = choose(predictions, 200)
    assert len(set(rows.tolist())) == len(rows) == 200
    assert (np.bincount(labels[rows]) == 20).all()
    right = predictions.predicted[rows] == labels[rows]
    assert [kind == "mistakes" for kind in kinds] == (~right).tolist()
    assert kinds.count("mistakes") == kinds.count("close") == 50
    assert set(labels[rows[:10]].tolist()) == set(range(10))
    lead = np.sort(logits, 1)[:, -1] - np.sort(logits, 1)[:, -2]
    close = rows[[kind == "close" for kind in kinds]]
    plain = rows[[kind == "right" for kind in kinds]]
    assert np.median(lead[close]) < np.median(lead[plain])
    # Few pictures of many classes still have some of each kind; what is missing is made up for.
    _, kinds = choose(predictions, 12)
    assert set(kinds) == {"right", "close", "mistakes"}
    hopeless = Predictions(-logits, labels, np.arange(1000), predictions.class_names)
    assert len(choose(hopeless, 300)[0]) == 300
    assert len(choose(predictions, 1)[0]) == 1
    assert len(choose(predictions, 5000)[0]) == 1000
    chosen = prototypes(make_pictures(500), 100)
    assert (np.bincount(make_pictures(500).labels[chosen]) == 10).all()


@pytest.mark.parametrize(
    ("probability", "above", "told"),
    [
        (0.0, -0.01, None),
        (0.0, 0.01, "lower than those of pictures that it knows"),
        (1.1, -0.01, "less than the 110"),
        (0.0, -np.inf, None),
    ],
)
def test_what_is_not_sure_says_why(
    browser: Browser, tmp_path: Path, probability: float, above: float, told: str | None
) -> None:
    session = open_session(tiny_network()[1])
    (logits,) = run_session(session, noise(GREY, 2).images_NHWC, [LOGITS])
    energy = float(np.log(np.exp(logits[0].astype(np.float64)).sum()))
    limits = Sureness(probability, energy + above)
    (tmp_path / "page.html").write_text(tiny_page(sureness=limits))
    with opened(browser, tmp_path / "page.html") as tab:
        until(tab, "document.querySelector('.answer .small').textContent")
        said = tab.locator(".answer .said").text_content()
        reason = str(tab.locator(".answer .small").first.text_content())
        limit = "–" if math.isinf(above) else f"{energy + above:.2f}"
        assert tab.locator("#view_about tr", has_text="energy").locator("td").all_inner_texts() == [
            limit
        ]
    assert (said == "not sure") == (told is not None)
    assert told is None or told in reason


def test_the_page_computes_what_the_run_answers(browser: Browser, explored: Path) -> None:
    with opened(browser, explored, "view=about") as tab:
        until(tab, "document.querySelectorAll('.exact').length === 2")
        told = tab.locator(".exact").all_inner_texts()
    for line in told:
        assert line.endswith("answers changed: 0")
        found = re.search(r"differ by (\S+) at most", line)
        assert found
        assert float(found[1]) < CLOSE


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", [*VIEWS, "beside"])
def test_nothing_is_amiss_for_those_who_cannot_see(
    browser: Browser, explored: Path, view: str, scheme: Any
) -> None:
    if not AXE.is_file():
        pytest.skip("needs axe-core from npm")
    with opened(browser, explored, f"view={view}&lesson=2", color_scheme=scheme) as tab:
        wait_for_surveys(tab)
        for details in tab.locator("details:not([hidden]) > summary").all():
            if details.is_visible():
                details.click()
        tab.evaluate(AXE.read_text())
        found = tab.evaluate("axe.run().then(({ violations }) => violations)")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        for width in (360, 820, 2560):
            tab.set_viewport_size({"width": width, "height": 900})
            until(tab, "document.documentElement.scrollWidth <= innerWidth", 5)


def wait_for_surveys(tab: Page) -> None:
    until(tab, "Live.surveyed(0, 'training') && Live.surveyed(1, 'test')")


def said(tab: Page) -> str:
    return tab.locator(".answer").first.inner_text()


def test_drawing_moving_and_covering_change_the_answer(browser: Browser, explored: Path) -> None:
    with opened(browser, explored) as tab:
        before = said(tab)
        tab.click("#clear")
        box = tab.locator("#pad").bounding_box()
        assert box
        tab.mouse.move(box["x"] + 40, box["y"] + 60)
        tab.mouse.down()
        tab.mouse.move(box["x"] + 200, box["y"] + 60, steps=8)
        tab.mouse.up()
        until(tab, "document.querySelector('#picture_name').textContent === 'Your own picture'")
        until(tab, f"document.querySelector('.answer').innerText !== {json.dumps(before)}")
        drawn = np.array(tab.evaluate("Array.from(Input.pixels())"))
        assert (drawn > 200).sum() >= 10
        tab.click("#undo")
        assert (np.array(tab.evaluate("Array.from(Input.pixels())")) < 60).all()
        # Held over a part, the finger darkens it; lifted, it is gone.
        tab.evaluate("change({ picture: { at: 0 } })")
        whole = tab.evaluate("Array.from(Input.pixels())")
        tab.check("#tool_cover")
        tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tab.mouse.down()
        assert tab.evaluate("Array.from(Input.pixels())") != whole
        tab.mouse.up()
        assert tab.evaluate("Array.from(Input.pixels())") == whole
        tab.check("#tool_move")
        tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] / 2 + box["width"] / 4, box["y"] + 100)
        tab.mouse.up()
        assert tab.evaluate("state.right") == pytest.approx(7, abs=0.5)


def test_two_fingers_turn_and_zoom_on_a_phone(browser: Browser, explored: Path) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    with opened(context, explored) as tab:
        tab.locator("#pad").scroll_into_view_if_needed()
        box = tab.locator("#pad").bounding_box()
        assert box
        phone = context.new_cdp_session(tab)

        def touch(kind: str, *places: tuple[float, float]) -> None:
            points = [
                {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": at}
                for at, (x, y) in enumerate(places)
            ]
            phone.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", (0.4, 0.5))
        touch("touchStart", (0.4, 0.5), (0.6, 0.5))
        for step in range(1, 6):
            touch("touchMove", (0.4 - 0.02 * step, 0.5), (0.6 + 0.02 * step, 0.5))
        touch("touchEnd")
        assert tab.evaluate("state.zoom") == pytest.approx(2, abs=0.2)
        tab.check("#tool_move")
        touch("touchStart", (0.5, 0.5))
        touch("touchMove", (0.75, 0.25))
        touch("touchEnd")
        assert tab.evaluate("[state.right, state.down]") == pytest.approx([7, -7], abs=0.6)
    context.close()


def test_a_walk_by_keyboard_alone(browser: Browser, explored: Path) -> None:
    with opened(browser, explored) as tab:
        press = tab.keyboard.press

        def focus(selector: str) -> None:
            """Go there by Tab, as one must."""
            tab.evaluate("document.activeElement.blur()")
            for _ in range(400):
                press("Tab")
                if tab.evaluate("(s) => document.activeElement.matches(s)", selector):
                    return
            raise AssertionError(f"{selector} is not reached by Tab")

        focus("#pad")
        press("Space")
        press("Shift+ArrowRight")
        until(tab, "document.querySelector('#picture_name').textContent === 'Your own picture'")
        press("u")
        focus("#tool_pen")
        press("ArrowRight")
        press("ArrowRight")
        assert tab.is_checked("#tool_cover")
        focus(".tile")
        press("ArrowRight")
        assert tab.evaluate("state.channel") == 1
        press("Enter")
        assert tab.evaluate("state.view") == "channel"
        focus("#map")
        row = tab.evaluate("state.row")
        press("ArrowDown")
        assert tab.evaluate("state.row") == row + 1
        focus("#switch_off")
        press("Enter")
        assert len(tab.evaluate("state.off")) == 1
        for number, view in enumerate([*VIEWS[:4], "beside", "about"], 1):
            press(str(number))
            assert tab.evaluate("state.view") == view
        press("l")
        tab.locator("#lesson").wait_for()
        for lesson in range(1, 9):
            until(
                tab,
                f"document.querySelector('#lesson').innerText.startsWith('Lesson {lesson} of 8')",
            )
            focus("#lesson .do")
            press("Enter")
            if lesson < 8:
                focus("#lesson .next")
                press("Enter")
        press("l")
        tab.locator("#lesson").wait_for(state="hidden")
        tab.evaluate("change({ picture: { at: 5 } })")
        focus("#gallery summary")
        press("Enter")
        focus("#gallery .picture")
        press("Enter")
        assert tab.evaluate("state.picture.at") == 0


def test_the_multiplication_on_the_page_adds_up(browser: Browser, explored: Path) -> None:
    with opened(browser, explored, "view=channel&row=5&column=6") as tab:
        for _ in range(3):
            result = tab.wait_for_selector(".result")
            assert result
            value, shown = (
                float(str(result.get_attribute(f"data-{name}"))) for name in ("value", "shown")
            )
            assert value == pytest.approx(shown, rel=1e-5, abs=1e-6)
            tab.get_by_role("button", name="Next cell").click()
        assert tab.locator(".matrix").count() == 3
        tab.click("#slide")
        cell = tab.evaluate("state.row * 100 + state.column")
        until(tab, f"state.row * 100 + state.column !== {cell}")
        tab.click("#slide")
        wait_for_surveys(tab)
        tab.locator(".large .picture").first.wait_for()


def test_what_is_switched_off_changes_answer_and_accuracy(browser: Browser, explored: Path) -> None:
    with opened(browser, explored, "view=whatif") as tab:
        wait_for_surveys(tab)
        tab.wait_for_selector("#accuracy")
        before, accuracy = said(tab), tab.inner_text("#accuracy")
        tab.locator("#view_whatif input[type=checkbox]").first.check()
        until(tab, f"document.querySelector('.answer').innerText !== {json.dumps(before)}")
        changed = f"document.querySelector('#accuracy').innerText !== {json.dumps(accuracy)}"
        until(tab, f"{changed} && /on the 60/.test(document.querySelector('#accuracy').innerText)")
        tab.get_by_role("button", name="Switch on again").click()
        until(tab, f"document.querySelector('.answer').innerText === {json.dumps(before)}")


def test_why_names_both_classes_and_both_maps(browser: Browser, explored: Path) -> None:
    with opened(browser, explored, "view=why") as tab:
        until(tab, "document.querySelectorAll('.heat').length === 4")
        wait_for_surveys(tab)
        assert tab.locator(".reason").count() == 2
        until(tab, "document.querySelectorAll('#view_why .pictures figure').length === 12")
        assert tab.locator("#view_why svg image").count() >= 4
        tab.locator("#view_why [aria-pressed=false]").first.click()
        until(tab, "state.one !== null")


def test_the_address_keeps_what_is_seen(browser: Browser, explored: Path) -> None:
    with opened(browser, explored) as tab:
        tab.evaluate(
            "change({ view: 'channel', channel: 2, row: 3, column: 4, right: 2.5, noise: 20,"
            " picture: { pixels: Input.test(3).slice() } })"
        )
        until(tab, "location.hash.includes('view=channel')")
        address = tab.evaluate("location.hash.slice(1)")
        pixels = tab.evaluate("Array.from(Input.pixels())")
    with opened(browser, explored, address) as tab:
        assert tab.evaluate(
            "[state.view, state.channel, state.row, state.column, state.right]"
        ) == [*("channel", 2, 3, 4, 2.5)]
        # Addresses keep sixteen shades.
        apart = np.abs(np.array(tab.evaluate("Array.from(Input.pixels())")) - pixels)
        assert apart.max() <= 10
    with opened(browser, explored) as tab:
        told = "JSON.parse(document.getElementById('data').textContent)"
        row, other = tab.evaluate(f"[3, 1].map((at) => {told}.test.rows[at])")
        tab.evaluate("change({ picture: { at: 3 }, towards: 1 })")
        until(tab, f"location.hash.includes('picture={row}')")
    # By their numbers in the split, as `explain --picture` has them.
    with opened(browser, explored, f"picture={row}&towards={other}") as tab:
        assert tab.evaluate("[state.picture.at, state.towards]") == [3, 1]
    with opened(browser, explored, "picture=999999&towards=-1") as tab:
        assert tab.evaluate("[state.picture.at, state.towards]") == [0, None]
    wrong = "view=x&stage=no&channel=-1&row=1e9&picture=own!!!&blend=NaN&network=9&off=9!a!b,1,,!!"
    with opened(browser, explored, wrong) as tab:
        assert tab.evaluate("[state.view, state.off.length, state.network]") == ["overview", 0, 0]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_any_view_is_saved_as_a_picture(
    browser: Browser, explored: Path, tmp_path: Path, kind: str
) -> None:
    for view in ("overview", "why"):
        with opened(browser, explored, f"view={view}") as tab:
            tab.wait_for_timeout(300)
            with tab.expect_download() as waiting:
                tab.click(f"#{kind}")
            waiting.value.save_as(tmp_path / f"{view}.{kind}")
            content = (tmp_path / f"{view}.{kind}").read_bytes()
            if kind == "svg":
                assert content.startswith(b"<svg")
                assert content.count(b"<image") >= (5 if view == "overview" else 2)
            else:
                with Image.open(tmp_path / f"{view}.png") as image:
                    assert image.width > 1000
                    assert len(image.convert("RGB").getcolors(1 << 24) or ()) > 50


def test_a_photograph_is_converted_step_by_step(browser: Browser, tmp_path: Path) -> None:
    photo = np.full((200, 300, 3), 240, np.uint8)
    photo[60:140, 100:220] = (40, 30, 90)
    Image.fromarray(photo).save(tmp_path / "a <b>.png")
    (tmp_path / "no.txt").write_text("hello")
    (tmp_path / "page.html").write_text(tiny_page(photographs=True))
    with opened(browser, tmp_path / "page.html") as tab:
        tab.set_input_files("#file", tmp_path / "a <b>.png")
        until(tab, "document.querySelectorAll('figure .thumb').length === 4")
        found = np.array(tab.evaluate("Array.from(Input.pixels())")).reshape(28, 28)
        assert "a <b>.png is converted" in str(tab.text_content("#said"))
        # Light on dark, from border to border, in the middle.
        assert found[14, 1:27].min() > 150
        assert found[:4].max() < 20
        rows = np.flatnonzero(found.max(1) > 100)
        assert (rows[0], rows[-1]) == pytest.approx((4.7, 22.3), abs=1)
        # A picture of the network's own size is taken as it is.
        Image.fromarray(found.astype(np.uint8)).save(tmp_path / "own.png")
        tab.set_input_files("#file", tmp_path / "own.png")
        until(tab, "document.querySelectorAll('figure .thumb').length === 2")
        assert tab.evaluate("Array.from(Input.pixels())") == found.ravel().tolist()
        tab.set_input_files("#file", tmp_path / "no.txt")
        assert "no.txt is no picture" in str(tab.text_content("#said"))


@pytest.mark.parametrize("missing", ["Worker", "fetch", "structuredClone"])
def test_it_needs_little_of_a_browser(browser: Browser, explored: Path, missing: str) -> None:
    context = browser.new_context()
    context.add_init_script(f"delete window.{missing}; delete window.XMLHttpRequest;")
    with opened(context, explored) as tab:
        until(tab, "document.querySelector('.said').textContent !== ''")
    context.close()


@pytest.mark.skipif(not PROGRAM, reason="needs Debian's package firefox-esr")
def test_it_works_in_firefox(explored: Path) -> None:
    with firefox() as tab:
        tab.open(explored.as_uri())
        tab.until("document.documentElement.dataset.ready && Live.results[0]")
        # The thread that computes is one of its own here, too.
        tab.until("Live.surveyed(0, 'training') && Live.surveyed(1, 'test')")
        for view in (*VIEWS, "beside"):
            tab.evaluate(f"change({{ view: '{view}' }})")
            tab.until(f"!document.getElementById('view_{view}').hidden")
        tab.until("document.querySelectorAll('.exact').length === 2")
        told = tab.evaluate("[...document.querySelectorAll('.exact')].map((e) => e.textContent)")
        assert all(line.endswith("answers changed: 0") for line in told)
        tab.until("location.hash.includes('view=beside')")
        drawn = tab.evaluate("Share.drawn(document.getElementById('stage'))")
        assert drawn.count("<image") >= 10
        assert tab.complaints == []
        assert {url.split(":")[0] for url in tab.asked} <= {"file", "data", "blob", "about"}
        files = {url.split("#")[0] for url in tab.asked if url.startswith("file:")}
        assert files <= {explored.as_uri()}


def test_a_hostile_data_set_is_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    pictures = noise(Shape(3, 64, 64), 40, 100)
    names = (HOSTILE, "<!--", *pictures.class_names[2:99], "long " * 40)
    hostile = LabelledImages(pictures.images_NHWC, pictures.labels, names)
    recipe = load("fast-92", {"data.image_size": 64})
    torch.manual_seed(0)
    network = build_network(recipe, 100, 3)
    text, _, _ = made(network, Preparation((64, 64), (0.5,) * 3, (0.5,) * 3), hostile)
    (tmp_path / "page.html").write_text(text)
    for width in (360, 1400):
        with opened(
            browser, tmp_path / "page.html", viewport={"width": width, "height": 900}
        ) as tab:
            for view in VIEWS:
                tab.click(f"#tab_{view}")
                tab.wait_for_timeout(200)
                wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (view, width)
            assert tab.evaluate("window.hurt") is None
            assert tab.locator("img").count() == 0
            assert HOSTILE in str(tab.text_content("#page"))


def test_the_policy_lets_nothing_in(explored: Path) -> None:
    text = explored.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    assert " style=" not in text


class Resized(nn.Module):
    """Uses an operator that the page does not compute."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3)
        self.larger = nn.Upsample(scale_factor=2)
        self.head = nn.Linear(4, 10)

    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.head(self.larger(self.first(images)).amax((2, 3)))
        return answer


def test_what_the_page_cannot_compute_is_named(
    run: fc.Run, tiny_data: None, tmp_path: Path, tiny_recipe: Path
) -> None:
    content = to_onnx(Resized().eval(), Preparation(), GREY).content
    with pytest.raises(BundleError, match=r"^the explorer has no operator Resize, in "):
        program(content, GREY)
    with pytest.raises(RunError, match=r"no weights of epoch 77; it has those of 0, 1, 2, 3$"):
        fc.explore(run, tmp_path / "page.html", epochs=[77])
    with pytest.raises(RunError, match=r"pictures is 0; it must be 1 to 2000"):
        fc.explore(run, tmp_path / "page.html", pictures=0)
    with pytest.raises(RunError, match=r"9 networks; a page takes 8 at most"):
        fc.explore(run, tmp_path / "page.html", epochs=range(8))
    few = make_pictures(120)
    pictures = LabelledImages(few.images_NHWC[:, :20, :20], few.labels, few.class_names)
    write_npz(tmp_path / "small.npz", {"train": pictures, "test": pictures})
    changes = {"data.validation_images": 0, "training.epochs": 1, "data.image_size": 20}
    small = tmp_path / "small.npz"
    other = fc.train(tiny_recipe, changes=changes, data=small, out=tmp_path, device="cpu")
    with pytest.raises(RunError, match=r"knows other pictures \(grey, 20 x 20, 10 classes\) than"):
        fc.explore([run, other], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_is_too_large_stays_out_of_the_bundle(
    run: fc.Run, tiny_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fashioncnn.workflows.export.parts.MAX_EXPLORER_BYTES", 1000)
    bundle = fc.export(run, tmp_path / "bundle")
    assert bundle.explorer is None
    assert not (bundle.path / EXPLORER).exists()


def test_pictures_are_neither_kept_nor_pushed_unasked(
    run: fc.Run, cli: Cli, tiny_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fc.export(run, tmp_path / "without", explorer=False).explorer is None
    out = tmp_path / "pushed"
    # Nobody listens there.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    done = cli("export", run.path, "-o", out, "--push", "me/net")
    assert done.returncode != 0
    assert "me/net: the hub does not take it" in done.stderr
    assert (out / "config.json").exists(), done.stderr
    assert not (out / EXPLORER).exists()


def test_the_report_links_to_it_and_the_server_shows_it(
    browser: Browser, reported: fc.Run, tiny_data: None, tmp_path: Path
) -> None:
    page = fc.report(reported)
    assert json.loads(page.with_suffix(".json").read_text())["explorer"] == "explorer.html"
    bundle = fc.export(reported, tmp_path / "bundle")
    assert (bundle.path / EXPLORER).read_bytes() == bundle.explorer
    with serving(f"tiny={bundle.path}") as server:
        for path in ("/", "/explore/tiny"):
            answer = server.client.get(path)
            assert answer.content == bundle.explorer
            assert "'none'" in answer.headers["content-security-policy"]
        assert server.client.get("/explore/other").status_code == 404
        tab = browser.new_page()
        seen = watch(tab)
        tab.goto(server.address)
        tab.wait_for_selector("html[data-ready]")
        until(tab, "document.querySelector('.said').textContent !== ''")
        assert seen.complaints == []
        tab.close()
    (bundle.path / EXPLORER).write_text("other")
    with pytest.raises(BundleError, match=r"explorer\.html"):
        fc.open_bundle(bundle.path)


def test_pictures_travel_whole(explored: Path, tiny_npz: Path) -> None:
    text = explored.read_text(encoding="utf-8")
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    rows = np.array(data["test"]["rows"])
    pixels = np.frombuffer(base64.b64decode(data["test"]["pixels"]), np.uint8)
    test = make_pictures(200, 1)
    np.testing.assert_array_equal(pixels.reshape(-1, 28, 28, 1), test.images_NHWC[rows])
    np.testing.assert_array_equal(data["test"]["labels"], test.labels[rows])
