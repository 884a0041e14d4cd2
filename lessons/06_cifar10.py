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
# # 6. CIFAR-10: colour, augmentation, dropout, batch normalisation
#
# Small colour pictures of things. You will see what colour adds to a picture, how training varies its images, and
# what batch normalisation and dropout do to the numbers inside. Then each of them is taken away in turn, and the
# loss is measured, with an interval, on the same test images. About 4 minutes on 2 cores; `--short` about 15
# seconds. Needs: nothing but striate, which draws coloured shapes; CIFAR-10 when it is at hand.
# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from opening import open_lesson

import striate

lesson = open_lesson("06_cifar10")
SIDE = 32  # CIFAR-10's own; all other images are scaled to it


# %%
def part_of(images, most):
    """At most so many of the images, chosen at random under a fixed seed."""
    return images.select(np.sort(np.random.default_rng(0).permutation(len(images))[:most]))


def arrays(images):
    """Pixels `image height width channel`, and the number of each image's class."""
    read, _, pack = images.packed(size=SIDE)
    return np.asarray(pack.pixels)[read.rows], read.labels


said = "{:%}".format  # an accuracy with its 95 % interval and the number of images behind it


def tiles(rows, names, heading):
    """Rows of pictures with values 0..1, a name at the left of each row."""
    columns = max(map(len, rows))
    size = (7, 6.2 / columns * len(rows) + 0.4)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for line, pictures, name in zip(axes, rows, names, strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.set_frame_on(False)
        for axis, picture in zip(line, pictures, strict=False):
            axis.imshow(np.clip(picture, 0, 1).squeeze(), cmap="gray", vmin=0, vmax=1)
    figure.suptitle(heading, fontsize=10)
    figure.tight_layout(pad=0.3)
    return figure


# %% [markdown]
# ## The data
#
# Only a part of the training images is used here, for two reasons: many trainings are to fit into minutes, and what
# guards against learning by heart is worth most where images are few.
# %%
images = striate.load_images(lesson.images("cifar10", "shapes"))
train, validation, test = images.split(seed=0)
train = part_of(train, lesson.pick(5_000, 200))
validation, test = part_of(validation, lesson.pick(1_000, 100)), part_of(test, lesson.pick(2_000, 150))
X, y = arrays(train)
classes, height, width, channels = images.classes, *X.shape[1:]
top = np.iinfo(X.dtype).max if X.dtype.kind in "ui" else X.max()
print(f"{len(train):,} training, {len(validation):,} validation, {len(test):,} test; {len(classes)} classes")
print(f"each {height} × {width} × {channels}, {X.dtype}, values {X.min()} to {X.max()}")


# %%
some = np.unique(y)[:10]
rows = [X[y == label][:10] / top for label in some]
heading = f"each {height} × {width} × {channels}, 0 to {top}"
figure = tiles(rows, [classes[label] for label in some], heading)
lesson.show(figure, "classes", f"Training images of {len(some)} of the {len(classes)} classes.")
# %% [markdown]
# ## Colour
#
# A colour picture is three pictures on top of each other. The first convolution reads all three, so each of its
# filters has three windows. The grey picture is their weighted mean; where two colours have the same mean, it
# cannot tell them apart. Each channel is normalised by its own mean and deviation over the training images.
# %%
mean, deviation = (X / top).mean(axis=(0, 1, 2)), (X / top).std(axis=(0, 1, 2))
for number, (middle, spread) in enumerate(zip(mean, deviation, strict=True)):
    print(f"channel {number}: mean {middle:.3f}, deviation {spread:.3f} of values scaled to 0..1")
if channels == 3:
    together = np.corrcoef((X[:200] / top).reshape(-1, 3).T)
    print(f"correlation of red with green {together[0, 1]:.2f}, of red with blue {together[0, 2]:.2f}")
    shown = [int(np.flatnonzero(y == label)[0]) for label in some[:4]]
    rows = [[X[at] / top, *(X[at] / top).transpose(2, 0, 1), striate.to_grey(X[at]) / top] for at in shown]
    figure = tiles(rows, [classes[y[at]] for at in shown], "picture, red, green, blue, grey; 0 is black")
    lesson.show(figure, "colour", "A picture, its three channels, and their weighted mean, the grey picture.")
# %% [markdown]
# ## Augmentation
#
# A cat that is moved by two pixels or mirrored is still a cat. Training shows every image a little different in
# every epoch, so that the network cannot learn it by heart. `Batches` is what training itself draws from. Below,
# one image in six epochs: shifted (the gap is filled by repeating the border), mirrored, with a square cut out (set
# to the mean), and all of it at once.
#
# Not every change is harmless. A mirrored letter or a turned digit may be another one: which changes leave the
# class as it is, is knowledge about the images that you bring.
# %%
preparation = train.packed(size=SIDE)[1].with_statistics(tuple(mean), tuple(deviation))
changes = {"shifted": {"translation": 4}, "mirrored": {"reflection": True}, "cut out": {"cutout": 12}}
changes["all"] = {name: value for one in changes.values() for name, value in one.items()}
rows = []
for one in changes.values():
    batches = striate.Batches(X, np.array([0]), y[:1], preparation, batch_size=1, seed=0, **one)
    inputs = [next(iter(batches.epoch(epoch))).inputs[0].numpy() for epoch in range(6)]
    rows.append([made.transpose(1, 2, 0) * deviation + mean for made in inputs])
figure = tiles(rows, list(changes), f"one training image in epochs 0 to 5 · {heading}")
lesson.show(
    figure, "augmentation", "One image as training meets it in six epochs, under four kinds of change."
)
# %% [markdown]
# ## Batch normalisation
#
# Between two layers the numbers may drift to any scale. Batch normalisation brings every map back to mean 0 and
# deviation 1 over the batch, and then gives it a scale and a shift that are learned. Here is the first layer of
# `compact`, untrained, and the same arithmetic by hand.
# %%
torch.manual_seed(0)
network = striate.create_model("compact", classes=len(classes), channels=channels, size=(height, width))
batch = striate.to_input(X[:128], preparation)
stem = network.stages["stem"]
with torch.no_grad():
    raw = stem.conv(batch)
    normal = stem.norm(raw)
middle, spread = raw.mean(dim=(0, 2, 3), keepdim=True), raw.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
by_hand = (raw - middle) / torch.sqrt(spread + stem.norm.eps)
for name, values in (("before", raw), ("after", normal)):
    spreads = values.std(dim=(0, 2, 3))
    print(f"{len(spreads)} maps {name}: deviations {spreads.min():.2f} to {spreads.max():.2f}")
print(f"largest difference between the layer and the hand: {(normal - by_hand).abs().max():.1e}")
assert torch.allclose(normal, by_hand, atol=1e-3)
# %% [markdown]
# In prediction there may be one picture and no batch: then the means and deviations met during training take their
# place.
#
# ## Dropout
#
# Dropout sets a share of the numbers to 0 at random, so that no unit can rely on one other unit. What is left is
# scaled up, so that the sum stays the same on average. In prediction it does nothing.
# %%
drop = torch.nn.Dropout(0.2)
print("training:  ", *(f"{value:.2f}" for value in drop(torch.ones(12))))
print("prediction:", *(f"{value:.2f}" for value in drop.eval()(torch.ones(12))))
# %% [markdown]
# ## What is each worth?
#
# An *ablation* takes one thing away at a time and leaves the rest as it is. Eight trainings: the whole recipe, five
# with one thing missing (four where the images are grey), and two that differ from the whole recipe by nothing but
# the seed. The last two are the yardstick: a difference no larger than theirs says little. For "no colour" the
# images are made grey first, by the same weights with which striate reads a colour picture for a grey network.
# %%
whole = striate.Recipe(
    model="compact",
    size=SIDE,
    epochs=lesson.pick(8, 3),
    batch_size=lesson.pick(128, 32),
    translation=2,
    reflection=True,
    dropout=0.2,
)
variants = {
    "whole recipe": whole,
    "no batch normalisation": whole.changed(batch_norm=False),
    "no dropout": whole.changed(dropout=0.0),
    "no translation": whole.changed(translation=0),
    "no reflection": whole.changed(reflection=False),
    "another seed": whole.changed(seed=1),
    "a third seed": whole.changed(seed=2),
}
SEEDS = ("another seed", "a third seed")


# %%
def grey(images):
    """The images without colour, as arrays, with the names of their classes."""
    pixels, labels = arrays(images)
    flat = np.stack([striate.to_grey(picture) for picture in pixels])[..., None]
    return np.rint(flat).astype(pixels.dtype), np.array(classes)[labels]


runs, kept = {}, {}
for name, recipe in variants.items():
    kept[name] = striate.Classifier(recipe).fit(train, validation=validation)
if channels == 3:
    kept["no colour"] = striate.Classifier(whole).fit(*grey(train), validation=grey(validation))
for name, classifier in kept.items():
    runs[name] = lesson.folder(name.replace(" ", "-"))
    classifier.save(runs[name])
    last = classifier.history_[-1]
    at_last = [f"{part} {100 * last[part]['accuracy']:5.1f} %" for part in ("train", "validation")]
    print(f"{name:<24} accuracy in the last epoch: {', '.join(at_last)}")
# %% [markdown]
# The training accuracy is measured on the changed images with dropout switched on, so it may lie below the
# validation accuracy. A training accuracy far above it is the sign of learning by heart.
#
# Now the test images, once, for all of them together. Every difference is paired: the same images, two networks.
# The interval is for these trained networks and says how much another sample of test images would move the
# difference; it does not know that another seed would have given another network. For that there is the yardstick.
# %%
comparison = striate.compare(runs, test, against="whole recipe")
alone = {one.name: one.accuracy for one in comparison.contenders}
pairs = {pair.other: pair for pair in comparison.pairings}
print(f"{'':<24} {'test accuracy':<32} minus whole recipe, points    p (Holm)   shown")
print(f"{'whole recipe':<24} {said(alone['whole recipe'])}")
for name, pair in pairs.items():
    found = pair.differences.accuracy
    p = f"{pair.adjusted:.3f}" if pair.adjusted >= 0.001 else "< 0.001"
    points = f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    print(f"{name:<24} {said(alone[name]):<32} {points:<28} {p:<10} {'yes' if pair.shown else 'no'}")
# %%
change = {name: pair.differences.accuracy for name, pair in pairs.items()}
order = [*sorted(change.keys() - SEEDS, key=lambda name: (change[name].value, name)), *SEEDS]
figure, axis = plt.subplots(figsize=(7, 0.42 * len(order) + 1.2))
for at, name in enumerate(order):
    found = change[name]
    colour = "grey" if name in SEEDS else "tab:blue"
    axis.plot([100 * found.low, 100 * found.high], [at, at], color=colour, linewidth=2)
    axis.plot(100 * found.value, at, marker="s" if name in SEEDS else "o", color=colour)
axis.axvline(0, color="black", linewidth=0.8)
axis.set_yticks(range(len(order)), order)
axis.invert_yaxis()
axis.set_xlabel("accuracy minus that of the whole recipe, in points; lines are 95 % intervals")
axis.set_title(f"What is lost when one thing is taken away, {comparison.images:,} test images", fontsize=10)
shown = [name for name in order if pairs[name].shown and name not in SEEDS]
lesson.show(figure, "ablation", f"A difference is shown for: {', '.join(shown) or 'none of them'}.")
# %%
yardstick = max(abs(change[name].value) for name in SEEDS)
print(f"Another seed alone moves the accuracy by up to {100 * yardstick:.1f} points.")
for name in order[: -len(SEEDS)]:
    found = "more" if abs(change[name].value) > yardstick else "not more"
    print(f"{name:<24} {100 * change[name].value:+6.1f} points: {found} than a seed")
# %% [markdown]
# Read such a table with care. What is worth much in a short training on few images may be worth little in a long
# one, and the reverse: augmentation and dropout slow the learning and pay only when there is time to learn by
# heart. A table like this is true of one network, one number of epochs and one set of images.
#
# ## Exercises
#
# They meet the test images again, which is fair as long as nothing is chosen by what they say.
#
# 1. Add `cutout=8` to the whole recipe. Is a difference shown?
# 2. Take away batch normalisation, dropout, translation and reflection all at once. Is the loss the sum of the
#    single ones?
# 3. How many parameters does batch normalisation cost `compact`? Check with `striate.Changes(batch_norm=False)`.
#    Why are there biases in one of the two networks only?
# %% tags=["hide-cell"]
# Solution 1
runs["cutout"] = lesson.folder("cutout")
striate.Classifier(whole.changed(cutout=8)).fit(train, validation=validation).save(runs["cutout"])
print(striate.compare([runs["whole recipe"], runs["cutout"]], test).sentences()[0])
# %% tags=["hide-cell"]
# Solution 2
bare = whole.changed(batch_norm=False, dropout=0.0, translation=0, reflection=False)
runs["bare"] = lesson.folder("bare")
striate.Classifier(bare).fit(train, validation=validation).save(runs["bare"])
together = striate.compare([runs["whole recipe"], runs["bare"]], test)
singles = ("no batch normalisation", "no dropout", "no translation", "no reflection")
added = sum(change[name].value for name in singles)
print(together.sentences()[0])
print(f"the single differences add up to {100 * added:+.1f} points")
# %% tags=["hide-cell"]
# Solution 3
options = {"classes": len(classes), "channels": channels, "size": (height, width)}
without = striate.create_model("compact", changes=striate.Changes(batch_norm=False), **options)
counts = {}
for name, one in (("with", network), ("without", without)):
    norms = [layer for layer in one.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    biases = sum(layer.bias is not None for layer in one.modules() if isinstance(layer, torch.nn.Conv2d))
    counts[name] = striate.summarize(one, (channels, height, width)).parameters
    print(
        f"{name:<8} {counts[name]:,} parameters, {len(norms)} normalisations, {biases} convolutions with biases"
    )
# A normalisation has a scale and a shift for each map; its shift does the work of the bias that it would subtract.
maps = sum(layer.num_features for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d))
print(f"{maps} maps: {2 * maps} scales and shifts in place of {maps} biases")
assert counts["with"] - counts["without"] == maps
