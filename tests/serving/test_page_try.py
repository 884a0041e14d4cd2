"""The Try view in a browser: a picture's class and heat map are those of Python; many pictures; keys; axe; phones."""

import base64
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from serving_kit import chromium, live
from shown import COLOURS, MARKUP, colour_run, coloured, decided_run, digit, png

import striate
from striate.drawing import scales

DESK = {"viewport": {"width": 1280, "height": 900}}
SIZES: dict[str, dict[str, Any]] = {
    "desktop": DESK,
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark": {**DESK, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 640}},
}
DROP = """([name, letters]) => {
    const file = new File([Uint8Array.from(atob(letters), (one) => one.charCodeAt(0))], name);
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    document.dispatchEvent(new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true }));
    document.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""
PASTE = """([name, letters]) => {
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([Uint8Array.from(atob(letters), (one) => one.charCodeAt(0))], name));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for this file."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compact network on digits, with decisions."""
    return decided_run(tmp_path_factory.getbasetemp() / "decided")


@pytest.fixture(scope="module")
def address(run: Path) -> Iterator[str]:
    """The service over it."""
    with live(run) as one:
        yield one


@pytest.fixture(scope="module")
def classifier(run: Path) -> striate.Classifier:
    """The same run in Python."""
    return striate.Classifier.load(run)


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """A function that opens an address; what goes wrong there, or leaves this machine, fails the test."""
    contexts, wrong = [], []

    def open_page(address: str, **options: Any) -> Any:
        context = browser.new_context(**{**DESK, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        host = urlsplit(address).netloc
        page.on("request", lambda one: wrong.append(one.url) if leaves(one.url, host) else None)
        page.goto(address)
        page.wait_for_selector(".door")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def leaves(address: str, host: str) -> bool:
    """Whether a request goes anywhere but to the service, or to what the page itself holds."""
    parts = urlsplit(address)
    return parts.scheme not in ("data", "blob") and parts.netloc != host


def file(name: str, content: bytes) -> dict[str, Any]:
    """A file as Playwright hands it to a page."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def give(page: Any, *files: dict[str, Any]) -> None:
    """Choose files, and wait until each has its answer."""
    page.set_input_files("#try-files", list(files))
    settled(page)


def settled(page: Any) -> None:
    """Wait until nothing is asked any more."""
    page.wait_for_selector(".many[aria-busy=false]")
    page.wait_for_selector(".heat:not([aria-busy])", state="attached")


def percent(chance: float) -> str:
    """As the page writes a probability."""
    if chance in (0, 1):
        return f"{100 * chance:.0f} %"
    return "<0.1 %" if chance < 0.0005 else ">99.9 %" if chance >= 0.9995 else f"{100 * chance:.1f} %"


def test_a_dropped_picture_gets_the_answer_that_python_gives(
    opened: Any, address: str, classifier: striate.Classifier
) -> None:
    """Class, every probability, the set, and each operating point as decided."""
    page = opened(address)
    for number in (1600, 1700, 8):
        content = png(digit(number))
        page.evaluate(DROP, [f"{number}.png", base64.b64encode(content).decode()])
        page.wait_for_selector(f".opener:has-text('{number}.png') img")
        settled(page)
        answer, card = classifier.predict_one(content), page.locator(".verdict")
        said = card.locator("h2").inner_text()
        assert said.startswith("No answer" if answer.abstained else str(answer.label))
        card.locator("summary").click()
        names, chances = (
            card.locator(".bar-name > bdi").all_inner_texts(),
            card.locator(".bar-chance").all_inner_texts(),
        )
        assert answer.probabilities is not None
        assert dict(zip(names, chances, strict=True)) == {
            name: percent(chance) for name, chance in answer.probabilities.items()
        }
        assert answer.operating is not None
        assert answer.classes is not None
        words = page.locator(".evidence h3").all_inner_texts()
        for place, reached in enumerate(answer.operating.values()):
            assert words[place].endswith("not reached") is not reached
        assert words[3] == f"Prediction set {{ {', '.join(answer.classes)} }}".replace("  ", " ")


def test_the_verdict_says_what_the_run_knows_of_itself(opened: Any, address: str) -> None:
    """The service's own words on points, abstention, sets and accuracy, and none of its own."""
    page = opened(address)
    give(page, file("a.png", png(digit(1600))))
    beside = page.request.get(f"{address}/model").json()["beside"]
    text = page.locator(".evidence").inner_text()
    stated = [*beside["points"], beside["abstention"], beside["sets"]]
    for rates in (one["rates"] for one in stated):
        for name, words in rates:
            assert name in text
            assert words in text
    assert beside["accuracy"]["text"] in text
    assert f"Operating point of 8, {beside['points'][0]['threshold_text']}" in text


def test_the_heat_map_is_the_classifiers(opened: Any, address: str, classifier: striate.Classifier) -> None:
    """Its numbers, its colours, what the pointer and the arrow keys read, and the slider."""
    page = opened(f"{address}/#method=gradient_input")
    content = png(digit(1600))
    with page.expect_response("**/explain?**") as answered:
        give(page, file("a.png", content))
    sent = answered.value.json()["values"]
    found = np.frombuffer(base64.b64decode(sent["base64"]), "<f4").reshape(sent["shape"])
    reason = classifier.explain(content, method="gradient_input")
    assert np.array_equal(found, reason.map)
    paint = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data]"
    drawn = np.array(page.locator(".heat-cover").evaluate(paint)).reshape(8, 8, 4)[..., :3]
    assert np.abs(drawn - scales.diverging(reason.map).astype(int)).max() <= 2
    stage, readout = page.locator(".heat-stage"), page.locator(".readout")
    box = stage.bounding_box()
    stage.hover(position={"x": box["width"] * 2.5 / 8, "y": box["height"] * 4.5 / 8})
    assert float(readout.inner_text().split(": ")[1].replace("−", "-")) == pytest.approx(
        reason.map[4, 2], rel=6e-3
    )
    assert readout.inner_text().startswith("row 4, column 2")
    stage.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("row 5, column 3")
    slider = page.get_by_label("How much the heat map covers")
    slider.fill("0")
    assert page.locator(".heat-cover").evaluate("one => one.style.opacity") == "0"
    assert "opacity=0" in page.url


def test_method_stage_and_class_are_kept_in_the_address(opened: Any, address: str) -> None:
    """Chosen by hand, read back from a link, and a link to what is not there falls back and says so."""
    page = opened(address)
    give(page, file("a.png", png(digit(1600))))
    with page.expect_response("**/explain?**stage=stem**"):
        page.get_by_label("Stage", exact=True).select_option("stem")
    with page.expect_response("**/explain?**label=3**") as answered:
        page.get_by_label("Class", exact=True).select_option("3")
    assert answered.value.json()["class"] == "3"
    settled(page)
    assert "Grad-CAM of stem for 3" in page.locator(".heat figcaption").inner_text()
    link = page.url
    assert "mapstage=stem" in link
    other = opened(link)
    give(other, file("a.png", png(digit(1600))))
    assert "Grad-CAM of stem for 3" in other.locator(".heat figcaption").inner_text()
    strange = opened(f"{address}/#method=lime&label=owl")
    give(strange, file("a.png", png(digit(1600))))
    assert "method=lime, which this run does not have" in strange.locator(".heat-controls").inner_text()
    assert "Grad-CAM" in strange.locator(".heat figcaption").inner_text()


def test_many_pictures_one_of_them_broken(opened: Any, address: str, classifier: striate.Classifier) -> None:
    """The broken one keeps its row with the reason; the csv holds what Python says; columns sort."""
    numbers = list(range(1600, 1619))
    page = opened(address)
    name = '<img src=x onerror=alert(2)> "q",.png'
    files = [file(f"{number}.png", png(digit(number))) for number in numbers]
    give(page, *files[:10], file(name, b"not a picture"), *files[10:])
    assert page.locator(".many tbody tr").count() == 20
    broken = page.locator(".many tbody tr").nth(10)
    assert name in broken.inner_text()
    assert "it is not a picture" in broken.inner_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf8"))))
    assert [row["source"] for row in rows] == [
        *(f"{number}.png" for number in numbers[:10]),
        name,
        *(f"{number}.png" for number in numbers[10:]),
    ]
    assert "it is not a picture" in rows[10]["error"]
    for row, number in zip(rows[:10], numbers, strict=False):
        answer = classifier.predict_one(png(digit(number)))
        assert answer.probabilities is not None
        assert answer.operating is not None
        assert [float(row[f"p:{one}"]) for one in answer.probabilities] == pytest.approx(
            list(answer.probabilities.values()), abs=1e-6
        )
        assert float(row["probability"]) == pytest.approx(answer.probability, abs=1e-6)
        assert (row["class"], row["answered"]) == (answer.said or "", str(not answer.abstained))
        assert row["set"] == "|".join(answer.classes or ())
        assert row["reached:8"] == str(answer.operating["8"])
    page.get_by_role("button", name="Probability").click()
    shown = page.locator(".many tbody tr td:nth-child(3)").all_inner_texts()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Probability")
    numeric = [float(text.strip("<> %")) for text in shown if text]
    assert numeric == sorted(numeric)
    assert shown[-1] == ""
    broken = page.locator(".opener", has_text="onerror")
    broken.click()
    assert "it is not a picture" in page.locator(".verdict").inner_text()
    page.get_by_role("button", name="Remove all").click()
    assert page.locator(".many").is_hidden()


def test_by_keys_alone_and_by_pasting(opened: Any, address: str) -> None:
    """The chooser opens from the keyboard; arrows move among the rows; Enter opens one."""
    page = opened(address)
    page.on(
        "filechooser", lambda chooser: None
    )  # choosers are caught from here on, not only once Enter is on its way
    page.locator("button", has_text="Choose pictures").wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Choose pictures":
            break
    assert page.evaluate("document.activeElement.textContent") == "Choose pictures"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([file("one.png", png(digit(1600))), file("two.png", png(digit(1700)))])
    settled(page)
    page.evaluate(PASTE, ["pasted.png", base64.b64encode(png(digit(3))).decode()])
    page.wait_for_selector(".opener:has-text('pasted.png') img")
    settled(page)
    assert page.locator("tr[data-chosen]").inner_text().startswith("pasted.png")
    page.locator(".opener").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("tr[data-chosen]").inner_text().startswith("two.png")


def test_answers_are_kept_while_other_views_are_looked_at(opened: Any, address: str) -> None:
    """Back in Try the table is as it was, and nothing was asked again."""
    page = opened(address)
    give(page, file("a.png", png(digit(1600))), file("b.png", png(digit(1601))))
    page.get_by_role("tab", name="Kernels").click()
    page.wait_for_selector(".view-kernels > *")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/predict" in one.url else None)
    page.get_by_role("tab", name="Try").click()
    page.wait_for_selector(".heat-cover")
    assert page.locator(".many tbody tr").count() == 2
    assert asked == []


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_is_too_wide(opened: Any, address: str, size: str) -> None:
    """Empty, and with a verdict, a heat map and a table."""
    page = opened(address, **SIZES[size])
    assert serious(page) == []
    give(page, file("a.png", png(digit(1600))), file("b.png", b"broken"))
    page.locator(".heat summary").click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["viewport"]["width"]


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_another_network_size_and_class_count_and_a_class_called_by_markup(
    opened: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """ResNet-20 in colour, undecided and unjudged: the same page, and a class name is text."""
    run = colour_run(tmp_path_factory.getbasetemp() / "<i>run")
    classifier = striate.Classifier.load(run)
    with live(run) as address:
        page = opened(f"{address}/")
        assert MARKUP in page.locator(".about-run").inner_text()
        content = png(coloured(30))
        with page.expect_response("**/explain?**") as answered:
            give(page, file("c.png", content))
        answer, text = classifier.predict_one(content), page.locator(".verdict").inner_text()
        assert page.locator(".bar-name > bdi").count() == 3
        assert set(page.locator(".bar-name > bdi").all_inner_texts()) == set(COLOURS)
        assert page.locator(".verdict h2 bdi").inner_text() == answer.label
        assert "the most probable class" in text
        assert "striate evaluate" in page.locator(".evidence").inner_text()
        sent = answered.value.json()["values"]
        found = np.frombuffer(base64.b64decode(sent["base64"]), "<f4").reshape(sent["shape"])
        assert np.array_equal(found, classifier.explain(content).map)
        page.get_by_label("Class", exact=True).select_option(MARKUP)
        page.wait_for_selector(".heat figcaption:has-text('onerror')")
        assert page.locator("#view img[src=x]").count() == 0
        assert page.locator("#run").inner_text() == "<i>run"
        assert serious(page) == []


def test_a_network_without_maps_offers_what_it_can(opened: Any, digits_run: Path) -> None:
    """An mlp: refused methods are listed with the reason, and the first that is possible is shown."""
    with live(digits_run) as address:
        page = opened(f"{address}/#method=gradcam")
        give(page, file("a.png", png(digit(3))))
        assert page.get_by_label("Method", exact=True).input_value() == "occlusion"
        page.locator(".heat-controls summary").click()
        assert (
            "Grad-CAM: it explains maps, and no stage of this network makes any."
            in page.locator(".heat-controls").inner_text()
        )
        assert page.get_by_label("Stage", exact=True).is_disabled()
        assert page.locator(".heat-cover").count() == 1
