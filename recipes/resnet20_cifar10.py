"""ResNet-20 on CIFAR-10 as its paper trains it: He, Zhang, Ren & Sun 2016, section 4.2 and table 6, 91.25 %.

    striate train cifar10.zip --model resnet20 --epochs 182 --set batch_size=128 --set optimiser=sgd \
        --set learning_rate=0.1 --set momentum=0.9 --set weight_decay=0.0001 --set schedule=step \
        --set step_epochs=61 --set translation=4 --set reflection=true --out runs/resnet20
    striate evaluate runs/resnet20

The paper's 64,000 steps are 182 epochs of the 45,000 images that are left to train on. It divides the rate by ten
after a half and after three quarters of them; here the steps are equal, after one and after two thirds. What a shift
uncovers is the border repeated, the paper's is black; norms and biases do not decay here. The source is the JPEG
form of CIFAR-10, which loses a little. Hours on two cores: its cost is promised, and no accuracy.
"""

from recipes.entry import Entry, NotRun
from recipes.promise import Promise
from recipes.step import Step

SETTINGS = {
    "model": "resnet20",
    "epochs": 182,
    "batch_size": 128,
    "optimiser": "sgd",
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "schedule": "step",
    "step_epochs": 61,
    "translation": 4,
    "reflection": True,
}
RESNET20 = Step(name="resnet20", source="cifar10.zip", settings=SETTINGS, smoke={"batch_size": 32})
PROMISE = Promise(cost={"resnet20": 996_339_052_800_000})
ENTRY = Entry(
    title="ResNet-20 on CIFAR-10, the paper's schedule",
    steps=(RESNET20,),
    promise=PROMISE,
    not_run={"resnet20": NotRun("resnet20", images=45_000, classes=10, input_shape=(3, 32, 32))},
)
