"""The courses' first comparison: a fully connected network beside LeNet-5 on MNIST, parameters and accuracy.

    striate train mnist.zip --model mlp --epochs 12 --out runs/mlp
    striate train mnist.zip --model lenet5 --epochs 12 --out runs/lenet5
    striate evaluate runs/mlp
    striate evaluate runs/lenet5

Both see the same images, shifted alike by up to two pixels, for as many epochs: 669,706 parameters against 61,706.
"""

from recipes.entry import Entry
from recipes.lenet5_mnist import EPOCHS, LENET5
from recipes.promise import Figure, Promise
from recipes.step import Step

MLP = Step(name="mlp", source="mnist.zip", settings={"model": "mlp", "epochs": EPOCHS}, smoke={"size": 28})
PROMISE = Promise(
    log_sha256="2d2aed72ea8d480a8836f8e554b337d1ce7ccd3bdbcfc508a008c8ae9a31fdea",
    accuracy={
        "mlp": Figure(0.98833, 0.9876, 0.9888, 3, (0.98524, 0.99068), 10000),
        "lenet5": Figure(0.99253, 0.992, 0.9928, 3, (0.99006, 0.99428), 10000),
    },
    difference={
        "lenet5 - mlp": Figure(0.0042, 0.004, 0.0044, 3, (0.00212, 0.0065), 10000),
    },
    cost={
        "mlp": 1_302_618_525_696,
        "lenet5": 811_409_283_360,
    },
)
ENTRY = Entry(
    title="mlp beside LeNet-5 on MNIST",
    steps=(MLP, LENET5),
    promise=PROMISE,
    pairs=(("mlp", "lenet5"),),
)
