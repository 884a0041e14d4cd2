"""ResNet-20 on CIFAR-10 in a tenth of the paper's epochs: the rate rises once and falls once.

    striate train cifar10.zip --model resnet20 --epochs 18 --set batch_size=128 --set optimiser=sgd \
        --set learning_rate=0.2 --set weight_decay=0.0005 --set schedule=onecycle --set translation=4 \
        --set reflection=true --out runs/resnet20
    striate evaluate runs/resnet20

Not the paper's number, and not its schedule (Smith & Topin 2019): what the same network gives in a tenth of the cost.
"""

from recipes.entry import Entry, NotRun
from recipes.promise import Promise
from recipes.step import Step

SETTINGS = {
    "model": "resnet20",
    "epochs": 18,
    "batch_size": 128,
    "optimiser": "sgd",
    "learning_rate": 0.2,
    "weight_decay": 5e-4,
    "schedule": "onecycle",
    "translation": 4,
    "reflection": True,
}
PROMISE = Promise(cost={"resnet20": 98_539_027_200_000})
ENTRY = Entry(
    title="ResNet-20 on CIFAR-10, a tenth of the epochs",
    steps=(Step(name="resnet20", source="cifar10.zip", settings=SETTINGS, smoke={"batch_size": 32}),),
    promise=PROMISE,
    not_run={"resnet20": NotRun("resnet20", images=45_000, classes=10, input_shape=(3, 32, 32))},
)
