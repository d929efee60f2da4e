"""The page in a real browser: it sorts, enlarges, asks nobody for anything, logs no error."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import fashioncnn as fc
from fashioncnn.opening.models import own_bundle
from test_serving import picture, serving
from watching import watch

WIDTHS = (390, 820, 1400)


@pytest.fixture
def pages(tiny_recipe: Path, tmp_path: Path, tiny_data: None) -> dict[str, Path]:
    run = fc.train(tiny_recipe, out=tmp_path / "runs", device="cpu")
    other = fc.train(tiny_recipe, changes=["training.epochs=1"], out=tmp_path, device="cpu")
    space = tiny_recipe.with_name("space.toml")
    space.write_text(
        'name = "mine"\nrecipe = "tiny.toml"\n[space]\ntraining.epochs = [1, 2]\n'
        "optimizer.learning_rate = [0.005, 0.004]\n"
    )
    return {
        "mine: what to set": fc.tune(space, out=tmp_path / "study", device="cpu").page,
        "tiny on tiny": fc.report(run),
        "Which is better?": fc.report([run, other], out=tmp_path / "page.html"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_in_a_browser(browser: Browser, pages: dict[str, Path], scheme: str) -> None:
    for title, path in pages.items():
        look(browser, title, path, scheme)


def test_no_table_of_a_full_page_is_cut(browser: Browser, reported: fc.Run) -> None:
    """On a phone, one may be swiped."""
    page = browser.new_page(viewport={"width": 760, "height": 900})
    page.goto((reported.path / "report.html").as_uri())
    tables = page.locator(".wide")
    assert tables.count() > 4
    assert tables.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_the_server_answers(browser: Browser, tmp_path: Path, width: int) -> None:
    (tmp_path / "<b>.png").write_bytes(picture())
    (tmp_path / "no.png").write_text("hello")
    with serving(own_bundle().path) as server:
        page = browser.new_page(viewport={"width": width, "height": 900})
        seen = watch(page)
        page.goto(f"{server.address}/ask")
        page.set_input_files("#file", [tmp_path / "<b>.png", tmp_path / "no.png"])
        page.wait_for_selector("li >> nth=1")
        assert page.text_content("#state") == "answered by photo"
        words = page.locator("li").all_inner_texts()
        assert "not a picture" in words[0]
        assert " %" in words[1]
        assert page.locator("li b").count() == 0
        assert not seen.complaints
        assert all(url.startswith((server.address, "blob:")) for url in seen.asked)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) == 0
        page.close()


def look(browser: Browser, title: str, report: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    seen = watch(page)
    page.goto(report.as_uri())
    assert page.title() == title

    column = sort_by_third(page)
    assert column == sorted(column, reverse=True)
    assert len(column) == page.locator("table.sortable").first.locator("tbody tr").count() > 1
    column = sort_by_third(page)
    assert column == sorted(column)

    dialog = page.locator("dialog")
    page.locator(".enlarge").first.click()
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    assert {url.split(":")[0] for url in seen.asked} <= {"file", "data"}
    assert [url for url in seen.asked if url.startswith("file:")] == [report.as_uri()]
    assert seen.complaints == []
    page.close()


def sort_by_third(page: Page) -> list[float]:
    table = page.locator("table.sortable").first
    table.locator("th button").nth(2).click()
    return [float(cell) for cell in table.locator("tbody tr td:nth-child(3)").all_text_contents()]
