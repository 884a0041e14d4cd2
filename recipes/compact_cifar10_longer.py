"""CIFAR-10 by `compact` as far as two cores took it: four times as wide, 24 epochs.

    striate train cifar10.zip --epochs 24 --set width=4 --set batch_size=512 --set size=32 --set patch=28 \
        --set translation=0 --set rescale=true --set momentum=0.6 --set schedule=triangular --set label_smoothing=0.2 \
        --set reflection=alternating --set views=ten --set keep=last --splits held-500.csv --out runs/longer
    striate evaluate runs/longer

`compact_cifar10` with more maps and more epochs: both were named before this was run, and it was judged once, with one
seed. Trained on all but 500 of the 50,000: `held-500.csv` is a table that `recipes.cuts` writes.
"""

from recipes.compact_cifar10 import SETTINGS, SIZE, SMOKE, SOURCE
from recipes.cuts import nearly_all
from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

LONGER = {**SETTINGS, "epochs": 24, "width": 4}
PROMISE = Promise(
    log_sha256="e0ea7750c5953b223380f6299465b70fe10a8b53fd8aeea43af90f82033a063c",
    accuracy={
        "longer": Figure(0.9147, 0.9147, 0.9147, 1, (0.90906, 0.92002), 10000),
    },
    cost={
        "longer": 343_868_405_760_000,
    },
)
ENTRY = Entry(
    title="compact on CIFAR-10, wider and longer",
    steps=(Step(name="longer", source=SOURCE, settings=LONGER, smoke=SMOKE, cut=nearly_all(500, size=SIZE)),),
    promise=PROMISE,
    at_least={"longer": 0.9},
)
