"""Inside in a browser: from the network to one cell, whose arithmetic is torch's; keys, address, other networks."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from inside_kit import Opened, inside, number
from serving_kit import chromium, live
from shown import MARKUP, colour_run, coloured

import striate

PHOTO = coloured(4)
Runs = dict[str, tuple[str, striate.Classifier]]
"""An address and the classifier behind it, by the name of its network."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the file."""
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Three networks of other kinds, sizes, channels and class counts, each behind an address."""
    folder = tmp_path_factory.mktemp("inside")
    grey = np.random.default_rng(2).integers(0, 255, (20, 28, 28), np.uint8)
    colour_run(folder / "resnet20")
    for model in ("lenet5", "mlp"):
        recipe = striate.Recipe(model=model, epochs=1, batch_size=10, seed=0)
        striate.Classifier(recipe).fit(grey, np.arange(20) % 10).save(folder / model)
    with ExitStack() as stack:
        yield {
            name: (stack.enter_context(live(folder / name)), striate.Classifier.load(folder / name))
            for name in ("resnet20", "lenet5", "mlp")
        }


def test_from_the_network_to_one_cell(browser: Any, runs: Runs) -> None:
    """Choose a picture, open a stage and a map, point at a cell: products and sums are torch's; keys move it by one."""
    address, classifier = runs["resnet20"]
    made = inside(classifier, PHOTO)
    with Opened(browser, address) as view:
        assert "Choose a picture" in view.page.locator(".notice").inner_text()
        view.choose(PHOTO)
        assert view.page.locator(".inside-said bdi").inner_text() == "a <b>photo.png"
        label = classifier.predict_one(PHOTO).label
        assert view.page.locator(".inside-chance bdi").first.inner_text() == label
        assert MARKUP in view.page.locator(".inside-chance bdi").all_inner_texts()
        view.open("stage2")
        order = made["stage2"][0].abs().amax(dim=(1, 2)).argsort(descending=True, stable=True).tolist()
        tiles = view.page.locator(".inside-tile")
        assert [int(tile.get_attribute("data-channel")) for tile in tiles.all()] == order
        tiles.nth(1).click()
        channel = order[1]
        view.hover(0, 9, 32, 32)
        check_residual(view, classifier, made, (channel, 0, 9))
        view.page.get_by_role("application").press("ArrowRight")
        view.worked(0, 10)
        view.page.get_by_role("application").press("ArrowUp")  # there is no row above the first
        view.page.get_by_role("application").press("ArrowDown")
        view.worked(1, 10)
        check_residual(view, classifier, made, (channel, 1, 10))
        assert f"stage=stage2&channel={channel}" in view.page.url
        assert "cell=1%2C10" in view.page.url


def check_residual(
    view: Opened, classifier: striate.Classifier, made: dict[str, torch.Tensor], place: tuple[int, int, int]
) -> None:
    """The board of a ResNet's stage: window, kernel and products of the strongest channels, then every step's value."""
    channel, row, column = place
    layer = classifier.network_.stages["stage2"].block3.branch.conv2
    window = F.unfold(made["stage2.block3.branch.relu1"], 3, padding=1)[0].reshape(-1, 3, 3, 32, 32)[
        ..., row, column
    ]
    products = (window.double() * layer.weight[channel].detach().double()).numpy()
    totals = products.sum(axis=(1, 2))
    best = int(np.abs(totals).argmax())
    limits = {
        "window": window.max(),
        "kernel": layer.weight[channel].detach().abs().max(),
        "products": np.abs(products).max(),
    }
    for name, expected in (
        ("window", window[best]),
        ("kernel", layer.weight[channel, best].detach()),
        ("products", products[best]),
    ):
        np.testing.assert_allclose(view.table(best, name), expected, atol=0.006 * float(limits[name]))
    shown = view.page.locator(f'.inside-part[data-channel="{best}"] [data-total]').get_attribute("data-total")
    assert float(shown) == pytest.approx(totals[best], abs=1e-5)
    conv, *rest = view.page.locator(".inside-formula").all_inner_texts()
    assert number(re.search(r"= (\S+)$", conv)[1]) == pytest.approx(products.sum(), abs=1e-4)
    values = view.values()
    for name in ("stage2.block3.branch.conv2", "stage2.block3.branch.norm2", "stage2.block3.relu"):
        assert values[name] == pytest.approx(float(made[name][0, channel, row, column]), abs=1e-5)
    passed = float(made["stage2.block2"][0, channel, row, column])
    assert values["stage2.block3.sum"] == pytest.approx(
        passed + values["stage2.block3.branch.norm2"], abs=1e-5
    )
    assert "stage2.block2.relu" in rest[1]


def test_keys_alone(browser: Any, runs: Runs) -> None:
    """A stage by Enter, the grid by arrows, a map by Enter, its cells by arrows, and Esc back out to the network."""
    with Opened(browser, runs["lenet5"][0], "&sample=roof") as view:
        view.page.locator(".inside-chance").first.wait_for()
        stage = view.page.locator('[data-stage="c1"]')
        stage.focus()
        stage.press("Enter")
        first = view.page.locator(".inside-tile").first
        first.wait_for()
        assert view.page.locator("h2:focus").inner_text() == "c1"
        first.focus()
        first.press("ArrowRight")
        second = view.page.locator(".inside-tile:focus")
        channel = second.get_attribute("data-channel")
        assert channel == view.page.locator(".inside-tile").nth(1).get_attribute("data-channel")
        second.press("Enter")
        surface = view.page.get_by_role("application")
        surface.wait_for()
        view.page.locator(".inside-board").wait_for()
        surface.focus()
        for key in ("ArrowUp",) * 30 + ("ArrowLeft",) * 30:
            surface.press(key)
        view.worked(0, 0)
        view.page.keyboard.press("Escape")
        view.page.locator(f'.inside-tile[data-channel="{channel}"]:focus').wait_for()
        view.page.keyboard.press("Escape")
        view.page.locator('[data-stage="c1"]:focus').wait_for()
        assert "stage" not in view.page.url


def test_the_address_restores_everything(browser: Any, runs: Runs) -> None:
    """An example picture, layer, channel, cell and input channel: another window shows the same board."""
    place = "&sample=card&stage=c3&layer=c3.conv&channel=3&cell=2%2C5&reads=4"
    boards = []
    for _ in range(2):
        with Opened(browser, runs["lenet5"][0], place) as view:
            view.worked(2, 5)
            boards.append(view.page.locator(".inside-board").inner_text())
            assert view.page.locator(".inside-part.shown").get_attribute("data-channel") == "4"
            view.page.locator("figcaption", has_text="s2, channel 4").wait_for()
            view.page.locator(".inside-kernel").first.wait_for()
            assert view.page.locator(".inside-kernel").count() == 6
            made = inside(runs["lenet5"][1], striate.example_picture("card"))
            assert view.values()["c3.conv"] == pytest.approx(float(made["c3.conv"][0, 3, 2, 5]), abs=1e-5)
            assert view.page.locator(".inside-step").count() == 2
    assert boards[0] == boards[1]


def test_step_by_step_back_to_the_picture(browser: Any, runs: Runs) -> None:
    """What a map reads can be opened in its turn, at the cell that was read, until the picture is reached."""
    with Opened(browser, runs["lenet5"][0], "&sample=card&stage=c3&channel=1&cell=3%2C4") as view:
        view.worked(3, 4)
        channel = view.page.locator(".inside-part.shown").get_attribute("data-channel")
        view.page.get_by_role("button", name="Open this map").click()
        view.page.locator(".inside-board h3", has_text="s2: average pooling, row 5, column 6").wait_for()
        view.page.get_by_role("button", name="Open this map").click()
        view.page.locator(".inside-board h3", has_text="c1.conv: convolution, row 11, column 13").wait_for()
        assert f"stage=c1&channel={channel}&" in view.page.url
        view.page.locator("figcaption", has_text="picture, normalised").wait_for()
        assert not view.page.get_by_role("button", name="Open this map").count()


def test_a_sum_shows_either_branch(browser: Any, runs: Runs) -> None:
    """The sum of a residual block names both branches with their values, and shows the map of the chosen one."""
    place = "&sample=flower&stage=stage1&layer=stage1.block1.sum&channel=2&cell=5%2C6"
    with Opened(browser, runs["resnet20"][0], place) as view:
        view.worked(5, 6)
        made = inside(runs["resnet20"][1], striate.example_picture("flower"))
        branches = [made["stage1.block1.branch.norm2"], made["stem.relu"]]
        values = [float(maps[0, 2, 5, 6]) for maps in branches]
        said = view.page.locator(".inside-terms button").all_inner_texts()
        assert [number(text.rpartition(": ")[2]) for text in said] == pytest.approx(values, abs=1e-4)
        assert view.values()["stage1.block1.sum"] == pytest.approx(sum(values), abs=1e-5)
        view.page.locator('[data-term="1"]').click()
        view.page.locator("figcaption", has_text="stem.relu, channel 2").wait_for()


def test_a_network_of_vectors(browser: Any, runs: Runs) -> None:
    """A dense layer reads the picture as one window, then numbers one by one; the head's numbers have class names."""
    address, classifier = runs["mlp"]
    made = inside(classifier, striate.example_picture("card"))
    with Opened(browser, address, "&sample=card&stage=hidden1&channel=7") as view:
        view.worked(0, 0)
        assert "28 × 28" in view.page.locator(".inside-part").inner_text()
        assert view.values()["hidden1.linear"] == pytest.approx(float(made["hidden1.linear"][0, 7]), abs=1e-5)
        view.page.locator('[data-stage="head"]').click()
        view.page.locator(".inside-tile", has_text=re.compile(r"^9")).click()
        view.page.locator(".inside-single tbody tr").first.wait_for()
        assert view.values()["head"] == pytest.approx(float(made["head"][0, 9]), abs=1e-5)
        row = view.page.locator(".inside-single tbody tr").first
        source = int(row.get_attribute("data-channel"))
        products = made["hidden2"][0].double() * classifier.network_.head.weight[9].detach().double()
        assert source == int(products.abs().argmax())
        told = [number(text) for text in row.locator("td.mono").all_inner_texts()]
        assert told[2] == pytest.approx(float(products[source]), rel=0.01)


WRONG = {
    "&sample=owl": "There is no such example picture.",
    "&stage=c9": "The network has no such stage.",
    "&stage=c1&layer=c1.dance": "The stage has no such layer.",
    "&stage=c1&channel=6": "The layer has no such channel.",
}


def test_addresses_of_what_there_is_not(browser: Any, runs: Runs) -> None:
    """What was asked for and what there is, in the place where it would stand."""
    with Opened(browser, runs["lenet5"][0], next(iter(WRONG))) as view:
        for state, said in WRONG.items():
            view.page.evaluate("hash => { location.hash = hash; }", f"tab=inside{state}")
            refused = view.page.locator(".refused", has_text=said)
            refused.wait_for()
            assert "Allowed:" in refused.inner_text()
        view.errors = [one for one in view.errors if "404" not in one]


@pytest.mark.parametrize(
    "window", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 800}}]
)
def test_nothing_serious_is_found_and_nothing_scrolls_sideways(
    browser: Any, runs: Runs, window: dict[str, Any]
) -> None:
    """All three zooms on a desktop, the last one dark and on a small phone too."""
    with Opened(browser, runs["lenet5"][0], "&sample=card", **window) as view:
        view.page.locator(".inside-chance").first.wait_for()
        assert view.fits()
        assert window or not view.serious()
        view.open("c1")
        assert view.fits()
        assert window or not view.serious()
        view.page.locator(".inside-tile").first.click()
        view.page.locator(".inside-kernel").first.wait_for()
        assert view.fits()
        assert view.serious() == []


PACED = """async () => {
  const { Latest } = await import("/views/inside_pace.js");
  const paced = new Latest();
  const asked = [], told = [], failed = [];
  const later = (time) => new Promise((done) => setTimeout(done, time));
  const answer = (one) => async () => { asked.push(one); await later(200); return one; };
  const ask = (one) => paced.ask(answer(one), (found) => told.push(found), (error) => failed.push(error.message), 5);
  for (let one = 0; one < 50; one += 1) ask(one);
  await later(80);
  for (let one = 50; one < 100; one += 1) ask(one);
  await later(800);
  ask(100);
  paced.stop();
  paced.ask(async () => { throw new Error("no"); }, () => told.push("?"), (error) => failed.push(error.message), 0);
  await later(100);
  return { asked, told, failed };
}"""


def test_only_the_last_question_counts(browser: Any, runs: Runs) -> None:
    """Of fifty questions in a row one is asked; where another follows before the answer, that answer is dropped."""
    with Opened(browser, runs["mlp"][0]) as view:
        assert view.page.evaluate(PACED) == {"asked": [49, 99], "told": [99], "failed": ["no"]}


DRAWN = """async () => {
  const { boxOf } = await import("/draw/network.js");
  const { codeColours, rangeWords } = await import("/draw/maps.js");
  const { aligned, boxOfWindow, cellUnder } = await import("/draw/window.js");
  return {
    wider: boxOf([2048, 7, 7]).width > boxOf([16, 7, 7]).width,
    higher: boxOf([16, 224, 224]).height > boxOf([16, 7, 7]).height,
    bounded: [boxOf([100000]).height, boxOf([1, 16384, 16384]).height],
    zero: [...codeColours(new Uint8Array([128, 1, 255]), true)],
    dark: [...codeColours(new Uint8Array([0]), false)].slice(0, 3),
    dilated: boxOfWindow({ first: [-2, 3], step: [2, 1], size: [3, 3] }),
    under: cellUnder({ clientX: 19, clientY: 0 }, { left: 10, top: 0, width: 10, height: 10 }, [5, 4]),
    edge: cellUnder({ clientX: 20, clientY: 10 }, { left: 10, top: 0, width: 10, height: 10 }, [5, 4]),
    numbers: [aligned(0.5, 2), aligned(-0.0123, 0.05), aligned(0, 1), aligned(1234.5, 2000)],
    dead: rangeWords({ low: 2, high: 2, dead: true, codes: { shape: [3, 3] } }),
  };
}"""


def test_what_is_drawn(browser: Any, runs: Runs) -> None:
    """Boxes grow and are bounded, zero is neutral, windows and cells lie where they should."""
    with Opened(browser, runs["mlp"][0]) as view:
        found = view.page.evaluate(DRAWN)
    assert found["wider"]
    assert found["higher"]
    assert max(found["bounded"]) <= 240
    assert found["zero"] == [247, 247, 247, 255, 5, 48, 97, 255, 103, 0, 31, 255]
    assert found["dark"] == [68, 1, 84]
    assert found["dilated"] == [-2, 3, 5, 3]
    assert (found["under"], found["edge"]) == ([0, 3], [4, 3])
    assert found["numbers"] == ["0.50", "-0.0123", "0", "1235"]
    assert found["dead"] == "dead, 2"
