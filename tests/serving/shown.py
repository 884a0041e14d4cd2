"""Runs for the page to show: one that has decided something, and one of another network, size and class count."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import striate

MARKUP = "<img src=x onerror=alert(1)>"
"""A class name that is markup: it must come out as text everywhere."""
COLOURS = (MARKUP, 'one "and" a half', "two")


def digit(number: int) -> np.ndarray:
    """One of scikit-learn's digits, 8 × 8, uint8."""
    return (load_digits().images[number] * 15).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """A PNG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def decided_run(folder: Path) -> Path:
    """The embedded digits, a network with maps, points, abstention and sets, judged on 100 images; made once."""
    if (folder / "evaluation.json").exists():
        return folder
    digits = load_digits()
    pixels, labels = (digits.images * 15).astype(np.uint8), digits.target.astype(str)
    classifier = striate.Classifier(striate.Recipe(model="compact", epochs=2, seed=0))
    classifier.fit(pixels[:500], labels[:500])
    classifier.decide(operate=("8: sensitivity>=0.9", "1: youden"), abstain="coverage>=0.9", sets=0.8)
    verdict = classifier.evaluate(pixels[1500:1600], labels[1500:1600])
    classifier.save(folder)
    (folder / "evaluation.json").write_text(json.dumps(verdict.to_dict()))
    return folder


def coloured(number: int) -> np.ndarray:
    """A 64 × 64 picture in colour, of class `number % 3`."""
    drawn = np.random.default_rng(number).integers(0, 90, (64, 64, 3), dtype=np.uint8)
    drawn[..., number % 3] += 120
    return drawn


def colour_run(folder: Path) -> Path:
    """ResNet-20 on 64 × 64 colour pictures of three classes, one called by markup; nothing decided; made once."""
    if (folder / "manifest.json").exists():
        return folder
    pixels = np.stack([coloured(number) for number in range(12)])
    labels = np.array(COLOURS)[np.arange(12) % 3]
    classifier = striate.Classifier(striate.Recipe(model="resnet20", epochs=1, batch_size=4, seed=0))
    classifier.fit(pixels, labels).save(folder)
    return folder
