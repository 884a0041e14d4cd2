"""Prediction is a stream: more pictures need no more memory, keep their order, and may be left unread."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from threading import get_ident

import pytest
from PIL import Image

import striate
from doors import command, picture
from striate.classifier import answering, judging
from striate.pixels.picture import Description, Picture

MEASURED = """
import resource, sys
import striate
classifier = striate.Classifier.load(sys.argv[1])
list(classifier.answers([sys.argv[2]]))  # everything that is loaded once, is
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(answer.error is None for answer in classifier.answers([sys.argv[3]]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
SIDE = 128
"""2,000 such pictures would take 31 MiB decoded."""
BY_THREADS_AND_NOT = [0.0, 1e9]
"""Seconds that a picture may take before it is handed to a thread."""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Zips of 200 and of 2,000 pictures."""
    folder = tmp_path_factory.mktemp("many")
    paths = {}
    for count in (200, 2000):
        paths[count] = folder / f"{count}.zip"
        content = []
        for number in range(10):
            Image.fromarray(picture(number % 3, number, SIDE)).save(folder / "one.png", compress_level=1)
            content.append((folder / "one.png").read_bytes())
        with zipfile.ZipFile(paths[count], "w") as archive:
            for number in range(count):
                archive.writestr(f"{number:05d}.png", content[number % 10])
    return paths


@pytest.mark.slow
def test_ten_times_the_pictures_need_no_more_memory(archives: dict[int, Path], pictures_run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(pictures_run), str(archives[200]), str(archives[2000])],
        capture_output=True,
        text=True,
        check=True,
    )
    count, grown = map(int, done.stdout.split())
    assert count == 2000
    assert grown < 8 * 1024, f"{grown} KiB more at the peak"


@pytest.mark.parametrize("quick", BY_THREADS_AND_NOT)
def test_no_more_than_two_batches_are_decoded_ahead(
    pictures_run: Path, monkeypatch: pytest.MonkeyPatch, quick: float
) -> None:
    monkeypatch.setattr(answering, "QUICK", quick)
    predictor = striate.Classifier.load(pictures_run).predictor_
    begun = 0
    pixels = picture(0, 1)[:, :, None]
    shown = Picture(pixels, Description(*pixels.shape, "uint8"))
    readers = set()

    def read() -> Picture:
        readers.add(get_ident())
        return shown

    def endless():
        nonlocal begun
        while True:
            begun += 1
            yield f"{begun}.png", read

    answers = predictor.answers(answering.decoded_ahead(predictor, endless()))
    for number in range(1, 500):
        assert next(answers).source == f"{number}.png"
        ahead = 3 if quick == 0 else 1
        assert begun <= number + ahead * predictor.batch_size
    assert (readers == {get_ident()}) == (quick > 0)
    answers.close()


def test_memory_stays_with_the_process_that_answers_and_judges(
    archives: dict[int, Path], pictures_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(answering, "keep_memory", lambda: asked.append("answers"))
    monkeypatch.setattr(judging, "keep_memory", lambda: asked.append("judges"))
    classifier = striate.Classifier.load(pictures_run)
    next(classifier.answers([archives[200]]))
    classifier.evaluate()
    assert asked == ["answers", "judges"]


@pytest.mark.parametrize("quick", BY_THREADS_AND_NOT)
def test_order_is_kept(
    archives: dict[int, Path], pictures_run: Path, monkeypatch: pytest.MonkeyPatch, quick: float
) -> None:
    monkeypatch.setattr(answering, "QUICK", quick)
    answers = striate.Classifier.load(pictures_run).answers([archives[200]])
    assert [answer.source for answer in answers] == [
        f"{archives[200]}/{number:05d}.png" for number in range(200)
    ]


def piped(words: list[str], reader: str) -> tuple[list[str], int, str]:
    """Lines that came through a pipe, the exit code of the one who wrote them, and what it said of that."""
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(words)} | {reader}; echo ${{PIPESTATUS[0]}}"],
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # where it is set, Python notices at once
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, code = done.stdout.splitlines()
    return lines, int(code), done.stderr


@pytest.mark.slow
def test_a_reader_that_leaves_is_left_in_peace(archives: dict[int, Path], pictures_run: Path) -> None:
    lines, code, error = piped(command("predict", pictures_run, archives[2000], "--json"), "head -1")
    assert (code, error) == (0, "")
    assert [json.loads(line)["source"] for line in lines] == [f"{archives[2000]}/00000.png"]


def test_a_short_answer_to_a_reader_that_has_gone_is_quiet_too() -> None:
    assert piped(command("models"), "true") == ([], 0, "")
