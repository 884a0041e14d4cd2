"""LeNet-5 on MNIST: at least 99 % of the test images, by every seed.

    striate train mnist.zip --model lenet5 --epochs 12 --out runs/lenet5
    striate evaluate runs/lenet5

LeCun et al. 1998, section III, report 99.05 % without and 99.2 % with distorted training images, after 20 passes.
"""

from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

EPOCHS = 12
LENET5 = Step(
    name="lenet5",
    source="mnist.zip",
    settings={"model": "lenet5", "epochs": EPOCHS},
    smoke={"size": 28},
)
PROMISE = Promise(
    log_sha256="961b6ba796eb97fb9304c30443ad4f56ae9c92c0b99d9ba5361cec092e515ad2",
    accuracy={
        "lenet5": Figure(0.99253, 0.992, 0.9928, 3, (0.99006, 0.99428), 10000),
    },
    cost={
        "lenet5": 811_409_283_360,
    },
)
ENTRY = Entry(title="LeNet-5 on MNIST", steps=(LENET5,), promise=PROMISE, at_least={"lenet5": 0.99})
