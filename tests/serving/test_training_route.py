"""The routes below /training: progress, server-sent events while a file grows, and what an evaluation found."""

import asyncio
import contextlib
import csv
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from serving_kit import client
from starlette.testclient import TestClient

from striate.serving.refusals import Refusal
from striate.serving.telling import training_watch
from striate.serving.telling.training_judged import confused, images_in_cell, judged
from striate.serving.telling.training_watch import Watch, identity, news


def record(epoch: int, loss: float = 1.0) -> dict[str, Any]:
    """One epoch as the trainer writes it."""
    measures = {"loss": loss, "accuracy": 0.5, "images_per_s": 10.0}
    return {"epoch": epoch, "train": measures, "validation": measures, "learning_rate": 0.1, "seconds": 1.0}


def add(folder: Path, *records: dict[str, Any]) -> None:
    """Append epochs to a history."""
    folder.mkdir(exist_ok=True)
    with (folder / "history.jsonl").open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in records)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the folder a hundred times a second."""
    monkeypatch.setattr(training_watch, "EVERY", 0.01)


@pytest.fixture(scope="module")
def evaluated(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with an evaluation."""
    from doors import striate_here

    folder = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(digits_run, folder)
    outcome = striate_here("evaluate", folder, "--quiet")
    assert outcome.code == 0, outcome.err
    return folder


@pytest.fixture(scope="module")
def service(evaluated: Path) -> Iterator[TestClient]:
    """A service of that run."""
    with client(evaluated) as one:
        yield one


def test_without_a_run_it_says_how_to_begin() -> None:
    """And the events say the same, and do not end."""
    with client() as one:
        told = one.get("/training").json()
        assert (told["state"], told["history"], told["try"]) == ("none", [], "striate serve RUN")
        assert one.get("/training/images", params={"truth": "a", "predicted": "b"}).status_code == 409


def test_a_folder_that_is_not_begun(tmp_path: Path) -> None:
    """The state, and the command."""
    with client(tmp_path / "run") as one:
        told = one.get("/training").json()
        assert (told["state"], told["done"], told["evaluation"]) == ("not begun", 0, None)
        assert told["try"] == "striate train SOURCE --out RUN"


def test_a_finished_run_has_its_history_recipe_and_evaluation(service: TestClient, evaluated: Path) -> None:
    """The numbers are those of the run's own files."""
    told = service.get("/training").json()
    found = json.loads((evaluated / "evaluation.json").read_text())
    (line,) = [json.loads(line) for line in (evaluated / "history.jsonl").read_text().splitlines()]
    assert told["state"] == "finished"
    assert told["history"][0]["validation"]["loss"] == line["validation"]["loss"]
    assert (told["epochs"], told["kept_epoch"], told["recipe"]["model"]) == (1, 1, "mlp")
    assert told["evaluation"]["matrix"] == found["confusion_matrix"]
    assert told["evaluation"]["accuracy"] == [found["accuracy"][name] for name in ("value", "low", "high")]
    assert told["evaluation"]["worst"] == found["most_wrong"][:24]
    assert str(evaluated) not in service.get("/training").text


def test_shares_are_of_the_row(service: TestClient) -> None:
    """Each count over the sum of its row."""
    found = service.get("/training").json()["evaluation"]
    for counts, shares in zip(found["matrix"], found["shares"], strict=True):
        assert shares == pytest.approx([count / sum(counts) for count in counts])


def test_images_of_a_cell_are_those_of_the_table(service: TestClient, evaluated: Path) -> None:
    """The surest first; as many as the matrix counts."""
    found = service.get("/training").json()["evaluation"]
    pair = found["confused"][0]
    with (evaluated / "predictions.csv").open() as file:
        rows = [(float(row["probability"]), row["source"]) for row in csv.DictReader(file)
                if (row["truth"], row["prediction"]) == (pair["truth"], pair["predicted"])]  # fmt: skip
    told = service.get(
        "/training/images", params={"truth": pair["truth"], "predicted": pair["predicted"]}
    ).json()
    assert told["count"] == pair["count"] == len(rows)
    assert [one["source"] for one in told["images"]] == [
        source for _, source in sorted(rows, key=lambda row: -row[0])
    ][:24]


def test_many_classes_are_told_by_pairs() -> None:
    """The most frequent confusion first; no diagonal."""
    pairs = confused(["a", "b", "c"], [[5, 1, 0], [3, 9, 2], [0, 0, 4]])
    assert [(one["truth"], one["predicted"], one["count"], one["of"]) for one in pairs] == [
        ("b", "a", 3, 14), ("b", "c", 2, 14), ("a", "b", 1, 6)]  # fmt: skip


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"classes": 3}', '{"classes": ["a"], "confusion_matrix": 7}', "[" * 9999]
)
def test_an_evaluation_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    """The page then says how to evaluate."""
    (tmp_path / "evaluation.json").write_text(content)
    assert judged(tmp_path) is None


def test_an_evaluation_without_a_list_of_errors_takes_it_from_the_table(
    evaluated: Path, tmp_path: Path
) -> None:
    """The same images in the same order as the evaluation lists them."""
    found = json.loads((evaluated / "evaluation.json").read_text())
    listed = found.pop("most_wrong")
    (tmp_path / "evaluation.json").write_text(json.dumps(found))
    shutil.copy(evaluated / "predictions.csv", tmp_path)
    told = judged(tmp_path)
    assert told is not None
    assert [one["source"] for one in told["worst"]] == [one["source"] for one in listed[:24]]
    assert told["worst"][0]["truth_probability"] == pytest.approx(listed[0]["truth_probability"], rel=1e-5)


def test_images_without_a_table_are_refused(tmp_path: Path) -> None:
    """No table, or one of other columns."""
    for _ in range(2):
        with pytest.raises(Refusal, match="no table of predictions"):
            images_in_cell(tmp_path, "a", "b")
        (tmp_path / "predictions.csv").write_text("image,label\n1.png,a\n")


def test_numbers_that_are_none_are_left_empty(tmp_path: Path) -> None:
    """JSON for the page has no NaN."""
    found = {
        "classes": ["a"],
        "split": "test",
        "confusion_matrix": [[1]],
        "accuracy": {"value": 1.0, "low": float("nan"), "high": 1.0, "n": 1},
    }
    (tmp_path / "evaluation.json").write_text(json.dumps(found))
    told = judged(tmp_path)
    assert told is not None
    assert told["accuracy"] == [1.0, None, 1.0]


def test_the_news_are_what_is_new() -> None:
    """Everything to who has nothing, or something else; the epochs after it to who has a part."""
    history = [record(epoch) for epoch in (1, 2, 3)]
    assert kinds(news(history, None)) == ["begin"]
    assert kinds(news(history, identity(history[:1]))) == ["epoch", "epoch"]
    assert kinds(news(history, identity(history))) == []
    assert kinds(news(history, identity([record(1, loss=2.0)]))) == ["begin"]
    assert kinds(news(history[:1], identity(history))) == ["begin"]
    assert kinds(news([], "nonsense")) == ["begin"]
    assert news(history, identity(history[:2]))[-1][1] == identity(history)


def kinds(events: list[tuple[str, str]]) -> list[str]:
    """The kind of each event."""
    return [parsed(text)["event"] for text, _ in events]


def parsed(text: str) -> dict[str, Any]:
    """One event by its fields."""
    fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
    return {**fields, "data": json.loads(fields["data"])} if fields else {"event": "comment"}


async def heard(events: AsyncIterator[str], kind: str) -> dict[str, Any]:
    """The next event of a kind."""
    async with asyncio.timeout(20):
        async for text in events:
            if parsed(text)["event"] == kind:
                return parsed(text)
    raise AssertionError(f"no {kind} came")


def test_events_follow_a_growing_file(tmp_path: Path) -> None:
    """Epochs come as they are written, a half line when it is whole, and who comes back gets the rest."""

    async def follow() -> None:
        folder = tmp_path / "run"
        watch = Watch(folder, lambda: False)
        events = watch.events(None)
        assert (await heard(events, "begin"))["data"] == {"history": []}
        assert (await heard(events, "state"))["data"]["state"] == "not begun"
        add(folder, record(1))
        first = await heard(events, "epoch")
        assert first["data"]["record"]["epoch"] == 1
        with (folder / "history.jsonl").open("a") as file:
            file.write(json.dumps(record(2))[:30])
            file.flush()
            await asyncio.sleep(0.05)
            file.write(json.dumps(record(2))[30:] + "\n")
        assert (await heard(events, "epoch"))["data"]["record"] == (await watch.progress()).history[1]
        await events.aclose()
        add(folder, record(3))
        again = watch.events(first["id"])
        assert [(await heard(again, "epoch"))["data"]["record"]["epoch"] for _ in range(2)] == [2, 3]
        shutil.rmtree(folder)
        assert (await heard(again, "begin"))["data"]["history"] == []
        await again.aclose()
        assert watch.listeners == 0

    asyncio.run(follow())


def test_events_end_with_the_training(digits_run: Path) -> None:
    """begin, state, end, and the stream is closed."""

    async def all_of() -> list[str]:
        return [parsed(text)["event"] async for text in Watch(digits_run, lambda: False).events(None)]

    assert asyncio.run(all_of()) == ["begin", "state", "end"]


def test_events_end_when_the_service_drains(tmp_path: Path) -> None:
    """An open page does not keep the service from stopping."""
    ended = False

    async def follow() -> None:
        nonlocal ended
        events = Watch(tmp_path, lambda: ended).events(None)
        await heard(events, "state")
        ended = True
        async with asyncio.timeout(5):
            with contextlib.suppress(StopAsyncIteration):
                await anext(events)

    asyncio.run(follow())


def test_a_quiet_training_sends_a_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment, which keeps the line open and changes nothing."""
    monkeypatch.setattr(training_watch, "STILL_HERE", 0.05)

    async def follow() -> None:
        events = Watch(tmp_path, lambda: False).events(None)
        assert (await heard(events, "comment"))["event"] == "comment"
        await events.aclose()

    asyncio.run(follow())


def test_no_more_listeners_than_may(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 and Retry-After."""
    monkeypatch.setattr(training_watch, "MOST", 0)
    answer = service.get("/training/events")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_the_stream_over_http(service: TestClient) -> None:
    """Its type, that nothing keeps it, and a Last-Event-ID that is heard."""
    answer = service.get("/training/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    events = [parsed(text) for text in answer.text.split("\n\n") if text]
    assert [one["event"] for one in events] == ["begin", "state", "end"]
    again = service.get("/training/events", headers={"Last-Event-ID": events[0]["id"]})
    assert "event: begin" not in again.text
    for nonsense in ("x" * 100, "99999999999-ff", "-1", "1-"):
        assert "event: begin" in service.get("/training/events", headers={"Last-Event-ID": nonsense}).text
