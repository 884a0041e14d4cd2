"""fastai's own small CIFAR-10 example, trained from nothing, on ready arrays: the first residual network of lesson 7,
https://github.com/fastai/fastai1/blob/master/courses/dl1/lesson7-cifar10.ipynb.

The lesson is written for fastai 0.7; this is the same in fastai 2. Network, SGD with rate 0.01, weight decay 1e-5,
batches of 256, the shifts and reflections and the 2 + 7 + 32 epochs (constant rate; cosine cycles of 1, 2 and 4; eight
cosine cycles of 4) are the lesson's; the code is not. Normalisation averages over batches, where the lesson's own
layer judges with the last batch's figures; images are normalised tensors, where the lesson decodes files.
"""

import random
from functools import partial

import torch
from fastai.callback.schedule import Learner
from fastai.data.core import DataLoaders
from fastai.learner import Callback, CancelFitException, CancelValidException
from fastai.optimizer import SGD
from stopwatch import Stopwatch
from torch import nn
from torch.nn import functional as F

MEAN, DEVIATION = (0.4914, 0.48216, 0.44653), (0.24703, 0.24349, 0.26159)
RATE, MARGIN, SIDE = 1e-2, 4, 32


class Pictures:
    """Normalised images; those of training shifted by up to four pixels over a reflected border, and mirrored."""

    def __init__(self, images, labels, train):
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
        pixels = pixels.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(DEVIATION)[:, None, None])
        self.pixels = F.pad(pixels, [MARGIN] * 4, "reflect") if train else pixels.contiguous()
        self.labels, self.train = torch.from_numpy(labels), train

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.pixels[index]
        if self.train:
            top, left = random.randint(0, 2 * MARGIN), random.randint(0, 2 * MARGIN)
            image = image[:, top : top + SIDE, left : left + SIDE]
            image = image.flip(2) if random.random() < 0.5 else image
        return image, self.labels[index]


class Layer(nn.Sequential):
    """Convolution, ReLU, then normalisation: the lesson's order."""

    def __init__(self, channels, width, stride):
        super().__init__(
            nn.Conv2d(channels, width, 3, stride, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(width)
        )


class Residual(Layer):
    """The same beside a path that changes nothing."""

    def __init__(self, width):
        super().__init__(width, width, 1)

    def forward(self, x):
        return x + super().forward(x)


class Judge(Callback):
    """Takes the time, then judges the test images, in place of fastai's own validation."""

    def before_fit(self):
        if watch.done:
            raise CancelFitException

    def before_validate(self):
        raise CancelFitException if watch.finished(self.accuracy) else CancelValidException

    def accuracy(self):
        with torch.no_grad():
            batches = zip(tests.pixels.split(1_000), tests.labels.split(1_000), strict=True)
            right = [(self.model(images).argmax(1) == labels).sum() for images, labels in batches]
        return float(sum(right)) / len(tests)


watch = Stopwatch(epochs=41)
images, labels, test, test_labels = watch.arrays()
tests = Pictures(test, test_labels, train=False)
loaders = DataLoaders.from_dsets(
    Pictures(images, labels, train=True), tests, bs=256, num_workers=0, device="cpu"
)
stages = [
    nn.Sequential(Layer(channels, 2 * channels, 2), Residual(2 * channels), Residual(2 * channels))
    for channels in (10, 20, 40, 80)
]
network = nn.Sequential(
    nn.Conv2d(3, 10, 5, padding=2), *stages, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(160, 10)
)
learner = Learner(
    loaders,
    network,
    loss_func=nn.CrossEntropyLoss(),
    opt_func=partial(SGD, mom=0.9, decouple_wd=False),
    wd=1e-5,
    cbs=Judge(),
)
with learner.no_bar(), learner.no_logging():
    learner.fit(2, RATE)
    learner.fit_sgdr(3, 1, RATE)
    for _ in range(8):
        learner.fit_sgdr(1, 4, RATE)
