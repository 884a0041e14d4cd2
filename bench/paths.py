"""Three people's first way through striate, command by command, as they type it, with the seconds that each waits.

A practitioner from a folder of photographs to a report, an engineer from the run to a file and a service that answers,
a student from a kernel to the filters and maps of a network of their own. Every command is a process of its own, with
an empty cache at the start; the file that each is run for must be there afterwards.
"""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import striate
from bench.measure import scratch
from bench.measure import striate as command
from bench.serving_speed import BOUNDARY, form, serving

CLASSES, PATIENTS, EACH = ("lines", "rings", "spots"), 24, 6
HEIGHT, WIDTH = 180, 240

Step = tuple[list[str], str]
"""What is typed after `striate`, and the file that it is for, below the folder where all happens."""


def lines(_data: Path) -> Iterator[str]:
    """A line a command, then one a person."""
    with scratch() as name:
        room = Path(name)
        photographs(room / "photos")
        Image.fromarray(striate.example_picture("flower")).save(room / "photo.png")
        for person, steps in (("practitioner", practitioner), ("engineer", engineer), ("student", student)):
            waited = []
            for words, made in steps(room):
                waited.append(typed(words, room, made))
                shown = " ".join(words).replace(f"{room}/", "")
                yield f"{person}: striate {shown}: {waited[-1]:.1f} s"
            if person == "engineer":
                waited.append(answered(room))
                yield f"{person}: striate serve run, to its first answer: {waited[-1]:.1f} s"
            yield f"{person}, all of it: {sum(waited):.0f} s, longest {max(waited):.1f} s"


def typed(words: list[str], room: Path, made: str) -> float:
    """Seconds of one command; SystemExit where it fails or leaves nothing behind."""
    began = time.monotonic()
    command(*words, cache=room / "cache")
    seconds = time.monotonic() - began
    if not (room / made).exists():
        raise SystemExit(f"striate {' '.join(words)} left no {made}")
    return seconds


def answered(room: Path) -> float:
    """Seconds from the start of the service to its first answer."""
    picture = next((room / "photos").rglob("*.jpg")).read_bytes()
    began = time.monotonic()
    with serving(room / "run") as port:
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/predict", data=form([picture]))
        asked.add_header("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        with urllib.request.urlopen(asked, timeout=60) as answer:
            answer.read()
        return time.monotonic() - began


def practitioner(room: Path) -> list[Step]:
    """From a folder to a report: audit, train, evaluate, ask about pictures, ask why."""
    photos, run, groups = str(room / "photos"), str(room / "run"), ["--group-from", r"p(\d+)-"]
    one = str(next((room / "photos").rglob("*.jpg")))
    return [
        (["data", "audit", photos, *groups, "--out", str(room / "audit")], "audit/audit.html"),
        (["train", photos, *groups, "--out", run], "run/model.safetensors"),
        (["evaluate", run], "run/report.html"),
        (["predict", run, one], "run/manifest.json"),
        (["explain", run, one, "--out", str(room / "why")], "why/overlay.png"),
    ]


def engineer(room: Path) -> list[Step]:
    """From the run to one file for other programs; the service follows."""
    return [(["export", str(room / "run"), "--out", str(room / "run.onnx")], "run.onnx")]


def student(room: Path) -> list[Step]:
    """From a kernel on a photograph to a network's filters and maps."""
    photo, run = str(room / "photo.png"), str(room / "digits")
    filtered = ["filter", photo, "-k", "sobel_x"]
    return [
        ([*filtered, "--explain", "3,5"], "photo.png"),
        ([*filtered, "-k", "blur", "--sheet", str(room / "sheet.png")], "sheet.png"),
        (
            ["train", "digits", "--model", "lenet5", "--set", "size=28", "--epochs", "5", "--out", run],
            "digits/model.safetensors",
        ),
        (["explain", run, "--filters", "--out", str(room / "filters")], "filters/filters.png"),
        (["explain", run, "--maps", photo, "--out", str(room / "maps")], "maps"),
    ]


def photographs(folder: Path) -> None:
    """JPEG photographs of three classes by patients, each with a light of their own."""
    down, right = np.mgrid[:HEIGHT, :WIDTH] / 6.0
    for patient in range(PATIENTS):
        for label, name in enumerate(CLASSES):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(EACH):
                chance = np.random.default_rng([patient, label, number])
                turn, shift = chance.uniform(0.0, 0.6), chance.uniform(0.0, 20.0, 2)
                along = np.cos(turn) * right + np.sin(turn) * down + shift[0]
                across = np.cos(turn) * down - np.sin(turn) * right + shift[1]
                waves = (
                    np.sin(along),
                    np.sin(np.hypot(along - 20, across - 15)),
                    np.sin(along) * np.sin(across),
                )
                light = np.random.default_rng(patient).uniform(70, 150, 3)
                pixels = light + 40 * waves[label][..., None] + chance.normal(0, 25, (HEIGHT, WIDTH, 3))
                path = folder / name / f"{name}-p{patient:02}-{number}.jpg"
                Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)
