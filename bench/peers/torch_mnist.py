"""PyTorch's own MNIST example on ready arrays: https://github.com/pytorch/examples/blob/main/mnist/main.py.

Network, Adadelta with rate 1.0 falling by 0.7 an epoch, batches of 64, 14 epochs and the seed are the example's; the
code is not. Images are normalised tensors before the first step, where the example converts each one every time.
"""

import torch
from stopwatch import Stopwatch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

watch = Stopwatch(epochs=14)
torch.manual_seed(1)


def prepared(images, labels):
    """Grey levels in units of the training images' deviation, channels first."""
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    return TensorDataset(pixels.sub_(0.1307).div_(0.3081).contiguous(), torch.from_numpy(labels))


def accuracy():
    """Share of the test images that are right."""
    network.eval()
    with torch.no_grad():
        right = [(network(images).argmax(1) == labels).sum() for images, labels in tests]
    return float(sum(right)) / len(tests.dataset)


images, labels, test, test_labels = watch.arrays()
loader = DataLoader(prepared(images, labels), batch_size=64, shuffle=True)
tests = DataLoader(prepared(test, test_labels), batch_size=1_000)
network = nn.Sequential(
    nn.Conv2d(1, 32, 3),
    nn.ReLU(),
    nn.Conv2d(32, 64, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Dropout(0.25),
    nn.Flatten(),
    nn.Linear(9_216, 128),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(128, 10),
    nn.LogSoftmax(1),
)
optimiser = torch.optim.Adadelta(network.parameters(), lr=1.0)
schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.7)
while True:
    network.train()
    for inputs, targets in loader:
        optimiser.zero_grad()
        F.nll_loss(network(inputs), targets).backward()
        optimiser.step()
    if watch.finished(accuracy):
        break
    schedule.step()
