"""The courses' first comparison: a fully connected network beside LeNet-5 on MNIST, parameters and accuracy.

    striate train mnist.zip --model mlp --epochs 12 --out runs/mlp
    striate train mnist.zip --model lenet5 --epochs 12 --out runs/lenet5
    striate evaluate runs/mlp
    striate evaluate runs/lenet5

Both see the same images, shifted alike by up to two pixels, for as many epochs: 669,706 parameters against 61,706.
"""

from recipes.entry import Entry, NotRun
from recipes.lenet5_mnist import EPOCHS, LENET5
from recipes.promise import Promise
from recipes.step import Step

MLP = Step(name="mlp", source="mnist.zip", settings={"model": "mlp", "epochs": EPOCHS}, smoke={"size": 28})
PROMISE = Promise(cost={"mlp": 1_298_911_408_128, "lenet5": 809_100_096_480})
ENTRY = Entry(
    title="mlp beside LeNet-5 on MNIST",
    steps=(MLP, LENET5),
    promise=PROMISE,
    pairs=(("mlp", "lenet5"),),
    not_run={
        name: NotRun(name, images=53_959, classes=10, input_shape=(1, 28, 28)) for name in ("mlp", "lenet5")
    },
)
