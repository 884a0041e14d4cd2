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
# # 5. MNIST with a convolutional network
#
# The same digits, the plain network again, and beside it two convolutional ones. One table sets their parameters,
# their work and their accuracy side by side, and a paired comparison says which differences are shown. Then you
# look inside: at the filters that were learned, and at what they make of one picture. About 2 minutes on 2 cores;
# `--short` about 15 seconds. Needs: nothing but striate; MNIST when it is at hand.
# %%
import matplotlib.pyplot as plt
import numpy as np
from opening import open_lesson

import striate

lesson = open_lesson("05_mnist_cnn")
SIDE = 28  # MNIST's own; all other images are scaled to it
MODELS = ("mlp", "lenet5", "compact")


# %%
def part_of(images, most):
    """At most so many of the images, chosen at random under a fixed seed."""
    return images.select(np.sort(np.random.default_rng(0).permutation(len(images))[:most]))


said = "{:%}".format  # an accuracy with its 95 % interval and the number of images behind it


# %% [markdown]
# ## Part 1. The data
#
# As in lesson 4: training images to learn from, validation images to choose by, test images for the verdict.
# %%
images = striate.load_images(lesson.images("mnist", "digits"))
train, validation, test = images.split(seed=0)
train, validation = part_of(train, lesson.pick(20_000, 1_000)), part_of(validation, 2_000)
classes = images.classes
read, _, pack = test.packed(size=SIDE)
X_test, y_test = np.asarray(pack.pixels)[read.rows], read.labels
height, width, channels = X_test.shape[1:]
print(
    f"{len(train):,} training, {len(validation):,} validation, {len(test):,} test images, {len(classes)} classes"
)
print(f"each {height} × {width} × {channels}, {X_test.dtype}")
# %% [markdown]
# ## Part 2. The network
#
# A convolution lays one small window of weights over the whole picture. Its number of parameters depends on the
# window and on the maps, not on the size of the picture; its work does depend on the size, because the window is
# laid on every cell. Here is LeNet-5, layer by layer. `sees` is the part of the picture on which one cell depends.
# %%
tables = {}
for name in MODELS:
    network = striate.create_model(name, classes=len(classes), channels=channels, size=(height, width))
    tables[name] = striate.summarize(network, (channels, height, width))
print(tables["lenet5"].to_text())
# %% [markdown]
# Count the first layer by hand. A filter has 5 × 5 weights for every channel that it reads, and a bias. It is used
# once for every cell of its map, and each use costs as many multiply-adds as it has weights.
# %%
first = next(row for row in tables["lenet5"].rows if row.kind == "convolution")
filters, rows, columns = first.output_shape
weights = filters * 5 * 5 * channels
print(
    f"{filters} × (5 × 5 × {channels} + 1) = {weights + filters:,} parameters; the table has {first.parameters:,}"
)
work = rows * columns * weights
print(f"{rows} × {columns} × {weights} = {work:,} multiply-adds; the table has {first.multiply_adds:,}")
assert (weights + filters, work) == (first.parameters, first.multiply_adds)
# %% [markdown]
# `compact` is striate's own small network: windows of 3 × 3, batch normalisation and residual blocks. Where do the
# parameters of each network sit, and where is its work done?
# %%
print(f"{'network':<10} {'parameters':>12} {'multiply-adds':>14}   uses of each parameter")
for name, table in tables.items():
    uses = table.multiply_adds / table.parameters
    print(f"{name:<10} {table.parameters:>12,} {table.multiply_adds:>14,}   {uses:.1f}")


# %%
def by_kind(table, measure):
    """The sums of a measure over convolutions and over dense layers."""
    kinds = {"convolution": 0, "fully connected": 0}
    for row in table.rows:
        if row.kind in kinds:
            kinds[row.kind] += getattr(row, measure)
    return kinds


figure, axes = plt.subplots(1, 2, figsize=(7, 2.4), sharey=True)
for axis, measure in zip(axes, ("parameters", "multiply_adds"), strict=True):
    left = np.zeros(len(MODELS))
    for kind in ("convolution", "fully connected"):
        values = np.array([by_kind(tables[name], measure)[kind] for name in MODELS])
        axis.barh(MODELS, values, left=left, label=kind)
        left += values
    axis.set_title(f"{measure.replace('_', '-')} (for one image)" if "_" in measure else measure, fontsize=10)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g} M")
axes[0].invert_yaxis()
axes[1].legend(fontsize=8)
figure.tight_layout()
share = by_kind(tables["lenet5"], "multiply_adds")["convolution"] / tables["lenet5"].multiply_adds
says = f"Convolutions do {100 * share:.0f} % of lenet5's work; of mlp, all parameters and all work are in dense layers."
lesson.show(figure, "where", says)
# %% [markdown]
# A dense layer uses each weight once an image. A convolution uses each weight on every cell: few parameters, much
# work. This is what *weight sharing* means in numbers.
#
# ## Part 3. Training and evaluation
#
# All three get the same images in the same order, for the same number of epochs, without random shifts. Only the
# optimiser and its rate are each network's own. The runs are saved, so that `compare` can call them by their names.
# %%
epochs = int(np.clip(lesson.pick(120_000, 3_000) / len(train), 2, 20))
recipe = striate.Recipe(size=SIDE, epochs=epochs, translation=0, seed=0)
trained, runs = {}, {}
for name in MODELS:
    trained[name] = striate.Classifier(recipe.changed(model=name)).fit(train, validation=validation)
    runs[name] = lesson.folder(name)
    trained[name].save(runs[name])
    last = trained[name].history_[-1]
    seconds = sum(record["seconds"] for record in trained[name].history_)
    print(
        f"{name:<8} {seconds:5.1f} s, validation accuracy {100 * last['validation']['accuracy']:.1f} % at the end"
    )
# %%
figure, axis = plt.subplots(figsize=(6, 3))
for name, marker in zip(MODELS, "os^", strict=True):
    history = trained[name].history_
    accuracies = [100 * record["validation"]["accuracy"] for record in history]
    axis.plot([record["epoch"] for record in history], accuracies, marker=marker, label=name)
axis.set(xlabel="epoch", ylabel="validation accuracy in %", title=f"{len(validation):,} validation images")
axis.xaxis.get_major_locator().set_params(integer=True)
axis.legend()
best = max(MODELS, key=lambda name: trained[name].kept_["validation"]["accuracy"])
lesson.show(figure, "curves", f"Of the epochs that are kept, {best} has the highest validation accuracy.")
# %% [markdown]
# The test images, once, for all three at the same time.
# %%
comparison = striate.compare(list(runs.values()), test)
print(f"{'network':<10} {'parameters':>12} {'multiply-adds':>14}   test accuracy")
for one in comparison.contenders:
    table = tables[one.name]
    print(f"{one.name:<10} {table.parameters:>12,} {table.multiply_adds:>14,}   {said(one.accuracy)}")
# %% [markdown]
# Intervals that overlap do not settle whether two networks differ: both met the *same* images, and most of the hard
# ones are hard for both. The paired comparison therefore looks only at images on which the two disagree.
# %%
for pair in comparison.pairings:
    ways = pair.agreement
    print(
        f"{pair.other} against {pair.reference}: both right {ways.both:,}, neither {ways.neither:,}, ", end=""
    )
    print(f"only {pair.other} {ways.only_other:,}, only {pair.reference} {ways.only_reference:,}")
    print(f"  {comparison.sentence(pair)}")
print("\nTo be kept in mind:", *(note for note in comparison.notes if "seed" in note))
# %% [markdown]
# ## What was learned
#
# The filters of the first convolution act on the picture itself, so they can be looked at as pictures: positive
# weights and negative weights on the two sides of a neutral zero. Look for edges of one direction, spots and
# strokes. Some filters may look like noise: nothing forces a network to be readable.
# %%
conv = trained["lenet5"]
sheet = striate.write_filters(conv, lesson.folder("filters"))
print(sheet.to_text())
lesson.show(
    sheet, "filters", f"The {filters} filters of lenet5's first layer, 5 × 5 each. {sheet.sentences[0]}."
)
# %% [markdown]
# Laid over one test picture, each filter gives a feature map. The sheet below follows the picture from stage to
# stage; of each stage it shows the channels that this picture excites most. The maps become smaller, and each cell
# sees more.
# %%
answer = conv.predict_one(X_test[0])
print(
    f"the picture is {classes[y_test[0]]}, taken for {answer.label} with probability {answer.probability:.2f}"
)
maps = striate.write_feature_maps(conv, X_test[0], lesson.folder("maps"), stage="c1")
print(maps.to_text())
stages = next(path for path in maps.files if path.name == "stages.png")
lesson.show(
    stages, "stages", "One picture on its way through lenet5: from strokes at every place to a few numbers."
)
# %%
all_maps = next(path for path in maps.files if path.name == "maps-c1.png")
lesson.show(all_maps, "maps", f"All {filters} maps of the first stage: {maps.sentences[0]}")
# %% [markdown]
# One cell of one map, computed by hand: the window of the normalised picture times the filter, summed, plus the
# bias, and then tanh, LeNet-5's activation. The picture is padded with two zeros on each side.
# %%
inputs = striate.to_input(X_test[:1], conv.preparation_)
found = striate.feature_maps(conv.network_, inputs, "c1")
channel = found.strongest()[0]
row, column = np.unravel_index(int(found.maps[0, channel].abs().argmax()), found.maps.shape[2:])
window = np.pad(inputs[0].numpy(), ((0, 0), (2, 2), (2, 2)))[:, row : row + 5, column : column + 5]
kernel = striate.filters(conv.network_).weights[channel]
bias = conv.network_.stages["c1"].conv.bias[channel].item()
by_hand, by_network = np.tanh((window * kernel).sum() + bias), found.maps[0, channel, row, column].item()
print(f"map {channel}, cell ({row}, {column}): by hand {by_hand:.4f}, by the network {by_network:.4f}")
assert abs(by_hand - by_network) < 1e-3
# %% [markdown]
# ## Exercises
#
# They meet the test images again, which is fair as long as nothing is chosen by what they say.
#
# 1. How do the parameters of `mlp` and `lenet5` grow when the pictures have 56 × 56 pixels instead of 28 × 28?
#    Which layers of `lenet5` grow, if its convolutions do not?
# 2. LeNet-5 has tanh. Train it with `activation="relu", initialisation="he"`, and compare the two on the same test
#    images.
# 3. Train `mlp` and `lenet5` on a quarter of the images, for as many steps as before. Which of them loses more?
# %% tags=["hide-cell"]
# Solution 1
for name in ("mlp", "lenet5"):
    large = striate.create_model(name, classes=len(classes), channels=channels, size=(56, 56))
    table = striate.summarize(large, (channels, 56, 56))
    print(f"{name}: {tables[name].parameters:,} at 28 × 28, {table.parameters:,} at 56 × 56")
    for one, other in zip(tables[name].rows, table.rows, strict=True):
        if one.parameters != other.parameters:
            print(f"  {one.stage}.{one.layer}, {one.kind}: {one.parameters:,} to {other.parameters:,}")
# %% tags=["hide-cell"]
# Solution 2
rectified = recipe.changed(model="lenet5", activation="relu", initialisation="he")
runs["relu"] = lesson.folder("relu")
striate.Classifier(rectified).fit(train, validation=validation).save(runs["relu"])
print(striate.compare([runs["lenet5"], runs["relu"]], test).sentences()[0])
# %% tags=["hide-cell"]
# Solution 3
quarter = part_of(train, len(train) // 4)
for name in ("mlp", "lenet5"):
    runs[f"{name}-quarter"] = lesson.folder(f"{name}-quarter")
    longer = recipe.changed(model=name, epochs=4 * epochs)
    striate.Classifier(longer).fit(quarter, validation=validation).save(runs[f"{name}-quarter"])
    print(striate.compare([runs[name], runs[f"{name}-quarter"]], test).sentences()[0])
