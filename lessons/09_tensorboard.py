# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---
# %% [markdown]
# # 9. TensorBoard
#
# You will see what a training writes about itself, read its event files back, and draw the pages of TensorBoard from
# them: scalars, time series, distributions, histograms, images, the graph. Then you will write measures of your own,
# and learn to tell a healthy run from three sick ones: a rate too high, dead ReLUs, a leak.
#
# About 2 minutes on 2 cores; `--short` about 15 seconds. Needs: nothing but striate; MNIST is used when it is at hand.
# No browser is needed; the command for the live page is printed.
# %%
import logging
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from opening import open_lesson
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

import striate

lesson = open_lesson("09_tensorboard")
logging.getLogger("tensorboard").setLevel(logging.ERROR)
root = lesson.folder("runs")
# %% [markdown]
# Few training images on purpose: a gap between training and validation is one of the things to be seen.
# %%
everything, preparation, pack = striate.load_images(lesson.images("mnist", "digits")).packed()
order = np.random.default_rng(0).permutation(len(everything))
few = lesson.pick(600, 300)
parts = {"train": order[:few], "validation": order[few : 2 * few], "test": order[2 * few : 4 * few]}
X = {part: np.asarray(pack.pixels[everything.rows[at]]) for part, at in parts.items()}
y = {part: np.array(everything.classes)[everything.labels[at]] for part, at in parts.items()}
for part in parts:
    print(f"{part:11} {len(X[part]):5,} images {X[part].shape[1:]}, {len(set(y[part]))} classes")
# %% [markdown]
# ## Two surfaces
#
# A run speaks in two places. On the terminal, and in `history.jsonl`, it says a line for each epoch: enough to follow
# and to keep. In TensorBoard it draws. What is drawn comes from two hands: **what training writes by itself**, at
# every step and epoch without being asked, and **what you write yourself** because only you know what matters. The
# first is a callback from training; the second are custom summaries, written through a listener.
#
# The listener below hears the same events as striate's own. It keeps four measures of its own: the recall of the
# worst class, the mean certainty, the share of zeros in what leaves each stage, and the length of the gradient.


# %%
class OwnMeasures(striate.Events):
    """Writes measures of one's own beside those that training writes by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder, []

    def began(self, plan, network) -> None:
        self.steps, self.writer = plan.steps, SummaryWriter(str(self.folder))

    def epoch(self, record, outcome, network) -> None:
        chances, taken = outcome.probabilities, record["epoch"] * self.steps
        right = chances.argmax(axis=1) == outcome.truth
        recalls = [right[outcome.truth == label].mean() for label in np.unique(outcome.truth)]
        norms = [each.grad.norm() for each in network.parameters() if each.grad is not None]
        measures = {"own/worst_recall": min(recalls), "own/certainty": chances.max(axis=1).mean()}
        measures["own/gradient"] = torch.stack(norms).norm().item() if norms else 0.0
        measures |= {f"own_zeros/{stage}": share for stage, share in zeros(network).items()}
        for name, value in measures.items():
            self.writer.add_scalar(name, float(value), taken)
        self.writer.add_histogram("own/certainties", chances.max(axis=1), taken)
        self.kept.append({**measures, "loss": record["train"]["loss"]})

    def finished(self, progress) -> None:
        self.writer.close()


raw = striate.to_input(X["train"], preparation)
mean, std = raw.mean((0, 2, 3), keepdim=True), raw.std((0, 2, 3), keepdim=True).clamp(min=1e-6)


def zeros(network) -> dict[str, float]:
    """The share of zeros in what leaves each stage that makes maps, over 64 validation images."""
    training, network = network.training, network.eval()
    inputs = (striate.to_input(X["validation"][:64], preparation) - mean) / std
    with torch.no_grad():
        found = {stage: striate.feature_maps(network, inputs, stage).maps for stage in ("stage1", "stage2")}
    network.train(training)
    return {stage: float((maps == 0).float().mean()) for stage, maps in found.items()}


# %% [markdown]
# Training with `out` writes a run, events included; on the command line, `striate train SOURCE --out FOLDER` does.
# %%
basis = {"model": "lesson", "epochs": lesson.pick(20, 8), "batch_size": 32, "seed": 0, "calibrate": "none"}
held = (X["validation"], y["validation"])
heard = {"healthy": OwnMeasures(root / "healthy-own")}
healthy = striate.Classifier(striate.Recipe(**basis))
healthy.fit(X["train"], y["train"], validation=held, out=root / "healthy", events=[heard["healthy"]])
lines = (root / "healthy" / "history.jsonl").read_text().splitlines()
print(f"history.jsonl has {len(lines)} lines, one an epoch; the last:\n{lines[-1]}")
print(f"the live page, while it trains or later:\n  tensorboard --logdir {root}")
# %% [markdown]
# ## Reading the events back
#
# An event file is a list of records: a tag, a step, a value. TensorBoard's own reader works without a browser. Tags
# with a stroke are grouped by what stands before it, which is how the page makes its sections.


# %%
def read(folder: Path) -> EventAccumulator:
    """All events in a folder, none thinned out (0 keeps everything)."""
    keep = {"scalars": 0, "histograms": 0, "compressedHistograms": 0, "images": 0}
    return EventAccumulator(str(folder), keep).Reload()


events = read(next((root / "healthy").rglob("events.out.tfevents.*")).parent)
written = read(root / "healthy-own")
for said, source in {"written by training": events, "written by you": written}.items():
    print(said)
    for kind, tags in source.Tags().items():
        if isinstance(tags, list) and tags:
            sections = Counter(tag.split("/")[0] for tag in tags)
            print(f"  {kind:14}{len(tags):4}: {', '.join(f'{name} {n}' for name, n in sections.items())}")
# %% [markdown]
# **Scalars** and **Time series**: a value against the number of steps. The page smooths with a moving mean, which
# hides what it smooths; here the points stay and the mean is laid over them. The loss of training may lie above that
# of validation: it is measured with dropout, and while the weights still change.


# %%
def curve(source: EventAccumulator, tag: str) -> np.ndarray:
    """Steps and values of a scalar, `2 × points`."""
    return np.array([(event.step, event.value) for event in source.Scalars(tag)]).T


def smoothed(values: np.ndarray, share: float = 0.6) -> np.ndarray:
    """TensorBoard's smoothing: each value mixed with the mean so far, corrected for its beginning."""
    mixed = np.cumsum(values * share ** -np.arange(len(values)))
    return mixed / np.cumsum(share ** -np.arange(len(values), dtype=float))


figure, axes = plt.subplots(2, 2, figsize=(7, 4.6), layout="constrained")
for axis, section in zip(axes.flat, ("loss", "accuracy"), strict=False):
    for part, colour in {"train": "#0072b2", "validation": "#d55e00"}.items():
        steps, values = curve(events, f"{section}/{part}")
        axis.plot(steps, values, ".", color=colour, alpha=0.5)
        axis.plot(steps, smoothed(values), color=colour, label=part)
    axis.set_title(section, fontsize=10)
axes[0, 0].legend(frameon=False, fontsize=9)
tags = ("learning_rate", "own/worst_recall")
for axis, source, tag in zip(axes[1], (events, written), tags, strict=True):
    axis.plot(*curve(source, tag), ".-", color="black")
    axis.set(title=f"{tag} ({'by training' if source is events else 'by you'})", xlabel="step")
last = [curve(events, f"loss/{part}")[1, -1] for part in ("train", "validation")]
lesson.show(figure, "scalars", "The last loss is {:.3f} in training, {:.3f} in validation.".format(*last))
# %% [markdown]
# An epoch is coarse. Under `step/` training writes single steps, one in a while; as a time series, against the
# seconds since the first of them, they show a loss that jumps before the epoch's mean does.
# %%
series = [tag for tag in events.Tags()["scalars"] if tag.startswith("step/")]
figure, axes = plt.subplots(1, len(series), figsize=(7, 2.3), layout="constrained", squeeze=False)
for axis, tag in zip(axes[0], series, strict=True):
    points = events.Scalars(tag)
    axis.plot(
        [point.wall_time - points[0].wall_time for point in points], [point.value for point in points], ".-"
    )
    axis.set_title(tag, fontsize=10)
    axis.set(xlabel="seconds")
seconds = points[-1].wall_time - points[0].wall_time
lesson.show(figure, "series", f"{len(points)} steps in {seconds:.1f} seconds, each as it was taken.")
# %% [markdown]
# **Histograms** show one tensor at every epoch, one behind the other. **Distributions** show the same as bands seen
# from above: the least and largest of every epoch, and the shares that a normal distribution has within a half, one,
# and one and a half deviations. Weights should move and spread a little; gradients should shrink, not vanish.
# %%
tag = events.Tags()["histograms"][0]
figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
layers, bands = events.Histograms(tag), events.CompressedHistograms(tag)
levels = np.array([[value for _, value in event.compressed_histogram_values] for event in bands])
edges = np.linspace(levels.min(), levels.max(), 31)
for number, event in enumerate(layers):
    limits, counts = event.histogram_value.bucket_limit, event.histogram_value.bucket
    bars = np.histogram(np.convolve(limits, [0.5, 0.5], "valid"), edges, weights=counts[1:])[0]
    height, centres = number + 1 - 2 * bars / bars.max(), (edges[1:] + edges[:-1]) / 2
    left.fill_between(centres, number + 1, height, color=plt.cm.viridis(number / len(layers)), alpha=0.8)
left.set(xlabel="value", ylabel="epoch, the first on top", title="histograms", ylim=(len(layers) + 0.5, -1.5))
for edge in range(levels.shape[1] // 2):
    low, high = levels[:, edge], levels[:, -1 - edge]
    right.fill_between(np.arange(len(levels)) + 1, low, high, color="#0072b2", alpha=0.25)
right.plot(np.arange(len(levels)) + 1, levels[:, levels.shape[1] // 2], color="black")
right.set(xlabel="epoch", title="distributions")
moved = np.ptp(levels[-1]) / np.ptp(levels[0])
lesson.show(figure, "histograms", f"{tag}: its range became {moved:.2f} times that of the first epoch.")
# %% [markdown]
# **Images** are PNG files in the events: the first kernels, the confusion matrix, the worst errors.
# **Graph** is the network as it was traced: every operation is a node, and its name says where in the network it is.
# %%
images = [tag for tag in events.Tags()["images"] if tag in ("confusion_matrix", "first_layer_filters")]
picture = lesson.out / "last.png"
figure, axes = plt.subplots(1, max(len(images), 1), figsize=(7, 3.2), squeeze=False, layout="constrained")
for axis, tag in zip(axes.flat, images, strict=False):
    picture.write_bytes(events.Images(tag)[-1].encoded_image_string)
    axis.imshow(plt.imread(picture))
    axis.set(title=f"{tag}, step {events.Images(tag)[-1].step}", xticks=[], yticks=[])
lesson.show(figure, "images", "The last pictures of: " + ", ".join(images) + ".")
nodes = events.Graph().node
kinds = Counter(node.op.removeprefix("aten::") for node in nodes if node.op.startswith("aten::"))
print(f"{len(nodes)} nodes, {sum(kinds.values())} of them operations: {dict(kinds.most_common())}")


# %% [markdown]
# ## Three sick runs
#
# Same images, same network. **Rate too high**: twenty-five times the network's own. **Dead ReLUs**: the first biases
# are set far below zero, so that no picture excites a map, and no gradient comes back to repair it. **Leak**: the
# validation images are those trained on, by a mistake; longer and without dropout, so that memory counts.
# %%
def with_bias(value: float) -> torch.nn.Module:
    """The same network anew, the biases of its first convolution set to a value."""
    torch.manual_seed(0)
    size, classes = X["train"].shape[1:3], len(set(y["train"]))
    made = striate.create_model("lesson", classes=classes, channels=preparation.channels, size=size)
    with torch.no_grad():
        next(module for module in made.modules() if isinstance(module, torch.nn.Conv2d)).bias.fill_(value)
    return made


plain = striate.Recipe(**{name: value for name, value in basis.items() if name != "model"})
longer = {"epochs": lesson.pick(30, 20), "dropout": 0.0}
fast = striate.Recipe(**basis, learning_rate=25 * curve(events, "learning_rate")[1].max())
sick = {
    "rate too high": (striate.Classifier(fast), X["train"], y["train"]),
    "dead ReLUs": (striate.Classifier(plain, network=with_bias(-50.0)), X["train"], y["train"]),
    "leak": (striate.Classifier(striate.Recipe(**basis | longer)), *held),
}
runs = {"healthy": healthy}
for name, (classifier, inputs, labels) in sick.items():
    heard[name] = OwnMeasures(root / name.replace(" ", "-"))
    try:
        runs[name] = classifier.fit(inputs, labels, validation=held, events=[heard[name]])
    except striate.StriateError as error:  # a loss that is no number ends a run: that is a finding too
        print(f"{name}: {error}")
# %% [markdown]
# The table has what TensorBoard would show, and one column that it cannot: the test. A loss that stays at the
# logarithm of the number of classes is that of guessing. Of the leak compare validation with test: no curve of the
# run itself gives it away.
# %%
chance = np.log(len(set(y["train"])))
print(f"the loss of guessing is {chance:.2f}\n")
print(f"{'run':15}{'loss':>7}{'zeros: stage1':>15}{'stage2':>8}{'gradient':>10}{'validation':>12}   test")
for name, classifier in runs.items():
    kept = heard[name].kept[-1]
    number, record = classifier.evaluate(X["test"], y["test"]).accuracy, classifier.history_[-1]
    print(
        f"{name:15}{kept['loss']:7.3f}{kept['own_zeros/stage1']:15.0%}{kept['own_zeros/stage2']:8.0%}"
        f"{kept['own/gradient']:10.3g}{record['validation']['accuracy']:12.1%}   "
        f"{number.value:.1%} ({number.low:.1%} to {number.high:.1%}, n = {number.n})"
    )
# %%
figure, axes = plt.subplots(2, len(runs), figsize=(7.4, 4), sharex=True, sharey="row", layout="constrained")
for column, (name, classifier) in zip(axes.T, runs.items(), strict=True):
    for part, colour in {"train": "#0072b2", "validation": "#d55e00"}.items():
        column[0].plot([record[part]["loss"] for record in classifier.history_], color=colour, label=part)
    column[0].axhline(chance, color="grey", linewidth=0.8, linestyle=":")
    column[0].set(title=name, ylim=(0, 1.6 * chance))
    for stage, line in {"stage1": "-", "stage2": "--"}.items():
        shares = [each[f"own_zeros/{stage}"] for each in heard[name].kept]
        column[1].plot(shares, line, color="black", label=stage)
    column[1].set(ylim=(-0.05, 1.05), xlabel="epoch")
for axis, says in zip(axes[:, 0], ("loss (dots: guessing)", "share of zeros"), strict=True):
    axis.set_ylabel(says)
    axis.legend(frameon=False, fontsize=8)
gone = [name for name in runs if heard[name].kept[-1]["own_zeros/stage2"] > 0.99]
lesson.show(figure, "sick", f"Stage 2 ends with nothing but zeros in: {', '.join(gone) or 'no run'}.")
# %% [markdown]
# striate refuses the leak where it can see it: the validation images of that run count as trained on, and `evaluate`
# will not judge them.
# %%
try:
    runs["leak"].evaluate(*held)
except striate.SourceError as error:
    print(str(error)[:200])
# %% [markdown]
# ## Exercises
#
# 1. Which event file is larger, and what takes the room? Count bytes by kind of record.
# 2. How far below zero must the biases be for the network not to recover? Try -1 and -5.
# %% tags=["hide-cell"]
# Solution 1
for said, source in {"by training": events, "by you": written}.items():
    tags = source.Tags()
    pictures = sum(len(each.encoded_image_string) for tag in tags["images"] for each in source.Images(tag))
    bars = [len(each.histogram_value.bucket) for tag in tags["histograms"] for each in source.Histograms(tag)]
    points = sum(len(source.Scalars(tag)) for tag in tags["scalars"])
    print(f"{said:12} pictures {pictures:9,} bytes, histograms {16 * sum(bars):9,}, scalars {4 * points:6,}")
# %% tags=["hide-cell"]
# Solution 2
for value in (-1.0, -5.0):
    own = OwnMeasures(root / f"bias{value:g}")
    tried = striate.Classifier(plain, network=with_bias(value))
    tried.fit(X["train"], y["train"], validation=held, events=[own])
    begun, ended = (own.kept[at]["own_zeros/stage1"] for at in (0, -1))
    right = tried.evaluate(X["test"], y["test"]).accuracy
    print(f"bias {value:3.0f}: zeros {begun:4.0%} → {ended:4.0%}, test {right.value:.1%}", end=" ")
    print(f"({right.low:.1%} to {right.high:.1%}, n = {right.n})")
