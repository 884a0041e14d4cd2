"""PyTorch's own CIFAR-10 tutorial on ready arrays: https://pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html.

Network, SGD with rate 0.001 and momentum 0.9, batches of 4 and two epochs are the tutorial's; the code is not. Images
are normalised tensors before the first step, where the tutorial converts each one every time in two workers.
"""

import torch
from stopwatch import Stopwatch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

watch = Stopwatch(epochs=2)


def prepared(images, labels):
    """Colours from -1 to 1, channels first."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    return TensorDataset(pixels.sub_(0.5).div_(0.5).contiguous(), torch.from_numpy(labels))


def accuracy():
    """Share of the test images that are right."""
    with torch.no_grad():
        right = [(network(images).argmax(1) == labels).sum() for images, labels in tests]
    return float(sum(right)) / len(tests.dataset)


images, labels, test, test_labels = watch.arrays()
loader = DataLoader(prepared(images, labels), batch_size=4, shuffle=True)
tests = DataLoader(prepared(test, test_labels), batch_size=1_000)
network = nn.Sequential(
    nn.Conv2d(3, 6, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 16, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 120),
    nn.ReLU(),
    nn.Linear(120, 84),
    nn.ReLU(),
    nn.Linear(84, 10),
)
optimiser = torch.optim.SGD(network.parameters(), lr=0.001, momentum=0.9)
while True:
    for inputs, targets in loader:
        optimiser.zero_grad()
        F.cross_entropy(network(inputs), targets).backward()
        optimiser.step()
    if watch.finished(accuracy):
        break
