"""Transfer within CIFAR-10: a network of five classes taught the other five from 50 images of each.

    striate train cifar10.zip --audit classes.csv --model compact --epochs 10 --set size=32 --set reflection=true \
        --out runs/source
    striate train cifar10.zip --model compact --epochs 40 --set reflection=true PART COMMON --out runs/scratch
    striate train cifar10.zip --weights runs/source --freeze all --epochs 40 --set extract=true PART COMMON \
        --out runs/extract
    striate train cifar10.zip --weights runs/source --epochs 40 --set head_epochs=10 --set base_rate=0.3 \
        --set reflection=true PART COMMON --out runs/finetune
    striate evaluate runs/scratch
    striate evaluate runs/extract
    striate evaluate runs/finetune
    striate compare runs/scratch runs/finetune

PART is `--audit few-classes.csv --splits images-50.csv`, two tables that `recipes.cuts` writes: 50 images a class to
train on and 50 to validate with, drawn by the seed; all 5,000 test images of the five classes are judged. COMMON is
`--set batch_size=32 --set size=32 --set keep=last`.

Equal epochs: scratch and fine-tuning cost the same multiply-adds but for the head's own epochs, extraction a small part
of them. The first training, on the images of the other classes, comes on top of both.

Fine-tuning gains nine points; the features as they are gain none that is shown, and cost a hundredth.
"""

from typing import Any

from recipes.cuts import few_images, of_classes
from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

KNOWN = ("airplane", "bird", "cat", "deer", "ship")
NEW = ("automobile", "dog", "frog", "horse", "truck")
SIZE, IMAGES = 32, 50
COMMON: dict[str, Any] = {"epochs": 40, "batch_size": 32, "size": SIZE, "keep": "last"}
WAYS: dict[str, dict[str, Any]] = {
    "scratch": {"model": "compact", "reflection": True},
    "extract": {"freeze": "all", "extract": True},
    "finetune": {"head_epochs": 10, "base_rate": 0.3, "reflection": True},
}
SOURCE = Step(
    name="source",
    source="cifar10.zip",
    settings={"model": "compact", "epochs": 10, "size": SIZE, "reflection": True},
    smoke={"batch_size": 16},
    cut=of_classes(KNOWN),
)


def step(way: str) -> Step:
    """One way of learning the new classes."""
    return Step(
        name=way,
        source="cifar10.zip",
        settings={**COMMON, **WAYS[way]},
        weights=None if way == "scratch" else "source",
        cut=few_images(NEW, IMAGES, size=SIZE),
    )


PROMISE = Promise(
    log_sha256="9380583fe290670299d777b6eea9b206b248adea857198ec893434be61e3bef2",
    accuracy={
        "source": Figure(0.87373, 0.87, 0.8786, 3, (0.86039, 0.88736), 5000),
        "scratch": Figure(0.67967, 0.6734, 0.6836, 3, (0.66027, 0.69635), 5000),
        "extract": Figure(0.68713, 0.6838, 0.6892, 3, (0.67077, 0.70188), 5000),
        "finetune": Figure(0.7722, 0.7704, 0.7752, 3, (0.75854, 0.78656), 5000),
    },
    difference={
        "extract - scratch": Figure(0.00747, 0.0018, 0.0158, 3, (-0.01334, 0.03139), 5000),
        "finetune - scratch": Figure(0.09253, 0.0868, 0.0976, 3, (0.07282, 0.11185), 5000),
    },
    cost={
        "source": 7_274_614_919_040,
        "scratch": 322_943_040_000,
        "extract": 2_705_472_000,
        "finetune": 269_121_600_000,
    },
)
ENTRY = Entry(
    title="Five classes of CIFAR-10 to the other five",
    steps=(SOURCE, *(step(way) for way in WAYS)),
    promise=PROMISE,
    pairs=(("scratch", "extract"), ("scratch", "finetune")),
)
