"""Transfer from MNIST to the handwritten digits of Chars74K, writers apart, with 5 and with 20 writers to learn from.

    striate train mnist.zip --model lenet5 --epochs 6 --out runs/mnist
    striate train chars74k_hnd.zip --model lenet5 --epochs 200 PART COMMON --out runs/scratch
    striate train chars74k_hnd.zip --weights runs/mnist --freeze all --epochs 200 --set extract=true PART COMMON \
        --out runs/extract
    striate train chars74k_hnd.zip --weights runs/mnist --epochs 200 --set head_epochs=50 PART COMMON \
        --out runs/finetune
    striate evaluate runs/scratch
    striate evaluate runs/extract
    striate evaluate runs/finetune
    striate compare runs/scratch runs/finetune

PART is `--audit classes.csv --splits groups-5.csv --group-from '-(\\d+)\\.png'`: two tables that `recipes.cuts` writes.
They leave out all but the ten digits, keep 45 % of the 55 writers for the test and 15 % for validation, and of the
others as many as the name says; the seed decides who. COMMON is `--set batch_size=16 --set size=28 --set keep=last`.

Equal epochs: scratch and fine-tuning cost the same multiply-adds but for the head's own epochs, extraction a small part
of them. The first training, on MNIST, comes on top of both.

MNIST is white on black and fills its frame, Chars74K is black on white and small on a wide sheet. Nothing is done about
either here: the network meets its new images as they are. Features kept as they were learned then lose more than 20
points against a network trained from nothing; fine-tuning makes no difference that is shown.

Chosen on validation writers of seeds 0 to 2: 200 epochs over 60, rates, shifts. Since the seed shares the writers
out, a validation writer of one seed may be a test writer of another.
"""

from typing import Any

from recipes.cuts import few_groups
from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

WRITER = r"-(\d+)\.png"
DIGITS = tuple(f"Sample{number:03d}" for number in range(1, 11))
SIZE = 28
SHARES = (0.4, 0.15, 0.45)
WRITERS = (5, 20)
COMMON: dict[str, Any] = {"epochs": 200, "batch_size": 16, "size": SIZE, "keep": "last"}
WAYS: dict[str, dict[str, Any]] = {
    "scratch": {"model": "lenet5"},
    "extract": {"freeze": "all", "extract": True},
    "finetune": {"head_epochs": 50},
}


def step(way: str, writers: int) -> Step:
    """One way of learning from so many writers."""
    return Step(
        name=f"{way}-{writers}",
        source="chars74k_hnd.zip",
        settings={**COMMON, **WAYS[way]},
        weights=None if way == "scratch" else "mnist",
        group_from=WRITER,
        smoke={} if writers == min(WRITERS) else None,
        cut=few_groups(DIGITS, writers, group_from=WRITER, size=SIZE, shares=SHARES),
    )


MNIST = Step(
    name="mnist", source="mnist.zip", settings={"model": "lenet5", "epochs": 6}, smoke={"size": SIZE}
)
PROMISE = Promise(
    log_sha256="6bdb6f4ab08a67b7e9baa2a9f8524f604bb4d698bda9f4de22a723fdcac6626f",
    accuracy={
        "mnist": Figure(0.9914, 0.991, 0.992, 3, (0.98895, 0.99357), 10000),
        "scratch-5": Figure(0.744, 0.704, 0.792, 3, (0.64467, 0.83771), 250),
        "extract-5": Figure(0.51467, 0.456, 0.584, 3, (0.39539, 0.64338), 250),
        "finetune-5": Figure(0.74533, 0.7, 0.808, 3, (0.64052, 0.85202), 250),
        "scratch-20": Figure(0.908, 0.888, 0.924, 3, (0.84289, 0.95081), 250),
        "extract-20": Figure(0.676, 0.632, 0.736, 3, (0.57064, 0.78677), 250),
        "finetune-20": Figure(0.908, 0.888, 0.928, 3, (0.84289, 0.95397), 250),
    },
    difference={
        "extract-5 - scratch-5": Figure(-0.22933, -0.248, -0.208, 3, (-0.324, -0.14), 250),
        "finetune-5 - scratch-5": Figure(0.00133, -0.036, 0.024, 3, (-0.09786, 0.076), 250),
        "extract-20 - scratch-20": Figure(-0.232, -0.292, -0.176, 3, (-0.376, -0.12), 250),
        "finetune-20 - scratch-20": Figure(0.0, -0.016, 0.016, 3, (-0.052, 0.06), 250),
    },
    cost={
        "mnist": 405_704_641_680,
        "scratch-5": 19_551_600_000,
        "extract-5": 359_640_000,
        "finetune-5": 16_347_600_000,
        "scratch-20": 78_206_400_000,
        "extract-20": 1_438_560_000,
        "finetune-20": 65_390_400_000,
    },
)
ENTRY = Entry(
    title="MNIST to the digits of Chars74K",
    steps=(MNIST, *(step(way, writers) for writers in WRITERS for way in WAYS)),
    promise=PROMISE,
    pairs=tuple(
        (f"scratch-{writers}", f"{way}-{writers}") for writers in WRITERS for way in ("extract", "finetune")
    ),
)
