"""Training in a browser: curves that move as epochs come, a real training, an evaluation; names stay text."""

import csv
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opened import Opened
from serving_kit import chromium, live

import striate

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser."""
    with chromium() as one:
        yield one


def record(epoch: int, loss: float, accuracy: float) -> str:
    """A line of a history."""
    train = {"loss": loss * 0.9, "accuracy": accuracy, "images_per_s": 1234.5}
    validation = {"loss": loss, "accuracy": accuracy}
    rest = {"learning_rate": 0.01 / epoch, "seconds": 65.0}
    return json.dumps({"epoch": epoch, "train": train, "validation": validation, **rest}) + "\n"


def add(folder: Path, *lines: str) -> None:
    """Append to the history as something that trains does."""
    folder.mkdir(exist_ok=True)
    with (folder / "history.jsonl").open("a") as file:
        file.writelines(lines)


def epochs_drawn(view: Opened, chart: int, series: int) -> int:
    """How many epochs a curve has."""
    lines = view.page.locator("figure.chart-figure").nth(chart).locator("path.line")
    drawn = lines.nth(series).get_attribute("d") or ""
    return drawn.count("M") + drawn.count("L")


def test_the_curves_move_while_epochs_come(browser: Any, tmp_path: Path) -> None:
    """From nothing to three epochs; a loss that is no number is a gap; pointing reads values; the best is marked."""
    folder = tmp_path / "run"
    folder.mkdir()
    with live(folder) as address, Opened((address, browser), "#tab=training") as view:
        view.page.locator(".now h2", has_text="Training has not begun").wait_for()
        view.page.get_by_text("striate train SOURCE --out RUN").wait_for()
        (folder / "recipe.json").write_text(json.dumps(striate.Recipe(epochs=8).model_dump()))
        add(folder, record(1, 2.0, 0.25))
        view.page.get_by_text("1 of 8").wait_for()
        assert epochs_drawn(view, 0, 1) == 1
        add(folder, record(2, float("nan"), 0.75), record(3, 0.5, 0.5))
        view.page.get_by_text("3 of 8").wait_for()
        view.until(
            "document.getElementById('announcer').textContent === 'epoch 3: validation accuracy 50.0 %'"
        )
        assert epochs_drawn(view, 0, 1) == 2
        assert epochs_drawn(view, 1, 1) == 3
        assert view.page.locator("text.marked").count() == 3
        view.page.get_by_text("epoch 3", exact=True).first.wait_for()
        view.page.locator("summary", has_text="The same as a table").press("Enter")
        rows = view.page.locator(".curves tbody tr").all_inner_texts()
        assert rows[1].split("\t")[:6] == ["2", "not finite", "not finite", "75 %", "75 %", "0.005"]
        assert rows[2].split("\t")[0] == "3 best"
        chart = view.page.locator("svg.chart").nth(1)
        box = chart.bounding_box()
        assert box
        view.page.mouse.move(box["x"] + 56 + (box["width"] - 68) / 7 * 1.1, box["y"] + 80)
        view.page.locator(".legend").nth(1).get_by_text("75 %").first.wait_for()
        assert "epoch 2" in view.page.locator(".legend").nth(2).inner_text()
        shutil.rmtree(folder)
        view.page.locator(".now h2", has_text="Training has not begun").wait_for()
        view.until("document.querySelector('.curves').hidden")


def test_a_real_training_is_seen_from_its_first_epoch_to_its_last(browser: Any, tmp_path: Path) -> None:
    """`striate train` in a process of its own; the page reaches its end by itself, and says what is next."""
    from doors import command

    folder = tmp_path / "run"
    words = command("train", "digits", "--out", folder, "--epochs", "3", "--quiet", "--set", "model=mlp")
    with live(folder) as address, Opened((address, browser), "#tab=training") as view:
        view.page.locator(".now h2", has_text="Training has not begun").wait_for()
        view.page.evaluate(
            """() => {
                window.seen = [];
                new MutationObserver(() => {
                    const lines = [...document.querySelectorAll('.now h2, .facts dd')];
                    const facts = lines.map((one) => one.textContent).join(' ');
                    if (seen.at(-1) !== facts) seen.push(facts);
                }).observe(document.body, { childList: true, subtree: true, characterData: true });
            }"""
        )
        training = subprocess.Popen(words, env={**os.environ})
        view.page.locator(".now h2", has_text="Training is finished.").wait_for(timeout=60_000)
        assert training.wait(60) == 0
        view.page.get_by_text("3 of 3").wait_for()
        seen = " | ".join(view.page.evaluate("seen"))
        assert "Training is running." in seen
        view.page.get_by_text("striate evaluate RUN").wait_for()
        told = striate.training_progress(folder)
        view.page.locator("summary", has_text="The same as a table").click()
        shown = view.page.locator(".curves tbody tr").nth(2).inner_text().split("\t")
        accuracy = told.history[2]["validation"]["accuracy"]
        assert shown[4] == f"{round(100 * accuracy, 1):g} %"
        assert shown[1] == f"{told.history[2]['train']['loss']:.3g}"


@pytest.fixture(scope="module")
def judged(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with an evaluation of three classes whose names and files are markup."""
    folder = tmp_path_factory.mktemp("judged") / "run"
    shutil.copytree(digits_run, folder)
    classes = ["round", HOSTILE, "striped"]
    wrong = {
        "source": f"a/{HOSTILE}.png",
        "truth": "round",
        "predicted": HOSTILE,
        "probability": 0.9,
        "truth_probability": 0.05,
    }
    found = {
        "classes": classes,
        "split": "test",
        "accuracy": {"value": 0.9, "low": 0.8, "high": 0.95, "n": 40},
        "confusion_matrix": [[9, 3, 0], [0, 10, 1], [0, 0, 17]],
        "most_wrong": [wrong],
        "created": "2026-01-01T00:00:00+00:00",
    }
    (folder / "evaluation.json").write_text(json.dumps(found))
    with (folder / "predictions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["source", "truth", "prediction", "probability"])
        table.writerows((f"{HOSTILE}/{n}.png", "round", HOSTILE, 0.5 + n / 10) for n in range(3))
    return folder


def test_an_evaluation_is_shown_and_names_are_text(browser: Any, judged: Path) -> None:
    """The accuracy with its interval, the matrix, the images behind a cell; nothing of a name is markup."""
    with live(judged) as address, Opened((address, browser), "#tab=training") as view:
        view.page.get_by_text("Accuracy 90.0 % (80.0–95.0, n = 40, test images); 4 wrong.").wait_for()
        counts = view.page.locator("table.matrix tbody tr").all_inner_texts()
        assert [row.split("\t")[1:] for row in counts] == [
            ["9", "3", "0"],
            ["0", "10", "1"],
            ["0", "0", "17"],
        ]
        view.page.get_by_role("button", name=f"3 of round called {HOSTILE}, 25.0 % of the row").press("Enter")
        images = view.page.locator(".behind li")
        images.nth(2).wait_for()
        assert images.all_inner_texts() == [f"{HOSTILE}/{n}.png {0.5 + n / 10:.3f}" for n in (2, 1, 0)]
        assert view.page.locator(".view-training img").count() == 0
        view.page.get_by_text("Recipe").click()
        assert "mlp" in view.page.locator("table.recipe").inner_text()
        view.usable()


def test_ticks_and_paths(browser: Any, tmp_path: Path) -> None:
    """Round numbers that cover the range; a gap lifts the pen; a lone value is a dot."""
    with live() as address, Opened((address, browser), "#tab=training") as view:
        view.page.get_by_text("No run is served.").first.wait_for()
        script = (
            "async () => { const { ticks, path } = await import('./draw/chart.js');"
            " const line = (values) => path(values, (epoch) => epoch, (value) => value);"
            " const spans = [[0, 2.31], [0.9, 0.93], [5, 5], [0, 1e-5]].map(([low, high]) => ticks(low, high));"
            " return [...spans, line([1, null, 2, 3]), line([]), line([4])]; }"
        )
        zero, narrow, same, small, gap, nothing, lone = view.page.evaluate(script)
        assert zero == [0, 0.5, 1, 1.5, 2, 2.5]
        assert narrow[0] <= 0.9
        assert narrow[-1] >= 0.93
        assert same[0] < 5 < same[-1]
        assert small == pytest.approx([0, 2e-6, 4e-6, 6e-6, 8e-6, 1e-5])
        assert (gap, nothing, lone) == ("M1.0 1.0h0M3.0 2.0L4.0 3.0", "", "M1.0 4.0h0")


def test_a_stopped_server_is_said_and_the_page_comes_back(browser: Any, tmp_path: Path) -> None:
    """The events go on where they were cut off, without a second copy of an epoch."""
    folder = tmp_path / "run"
    add(folder, record(1, 1.0, 0.5), record(2, 0.9, 0.6))
    with live(folder) as address, Opened((address, browser), "#tab=training") as view:
        view.until("document.querySelectorAll('.curves tbody tr').length === 2")
        view.context.set_offline(True)
        time.sleep(0.1)
        view.context.set_offline(False)
        add(folder, record(3, 0.8, 0.7))
        view.until("document.querySelectorAll('.curves tbody tr').length === 3")
