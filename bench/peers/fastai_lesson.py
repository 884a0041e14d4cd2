"""fastai: one epoch of the `lesson` network from CIFAR-10 files, as fastai's own guide reads a folder of classes.

python fastai_lesson.py FOLDER   prints images a second of the second epoch
"""

import sys
import time

from fastai.vision.all import (
    Callback,
    CancelValidException,
    CropPad,
    Flip,
    ImageDataLoaders,
    Learner,
    Normalize,
    RandomCrop,
    nn,
)

BATCH = 128


class Clock(Callback):
    """Wall time of the training half of every epoch; the other half is left out."""

    def before_train(self):
        self.began = time.perf_counter()

    def after_train(self):
        seconds.append(time.perf_counter() - self.began)

    def before_validate(self):
        raise CancelValidException


seconds = []
loaders = ImageDataLoaders.from_folder(
    sys.argv[1],
    valid_pct=0.001,
    bs=BATCH,
    item_tfms=[CropPad(36, pad_mode="zeros"), RandomCrop(32)],
    batch_tfms=[Flip(), Normalize.from_stats((0.47,) * 3, (0.25,) * 3)],
)
network = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(32, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(4_096, 512),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(512, 128),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(128, 10),
)
learner = Learner(loaders, network, loss_func=nn.CrossEntropyLoss(), cbs=Clock())
with learner.no_bar(), learner.no_logging():
    learner.fit_one_cycle(2)
print(len(loaders.train) * BATCH / seconds[1])
