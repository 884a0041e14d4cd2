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
# # 4. MNIST with a plain network
#
# Handwritten digits, and the plainest network that can learn them: every pixel joined to every unit. You will look
# at the images, count the weights by hand, train, and judge the result with an interval on every number. Then the
# images move by a few pixels, and you will see what such a network does not know about pictures. About 2 minutes on
# 2 cores; `--short` about 15 seconds. Needs: nothing but striate; MNIST when it is at hand.
# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from opening import open_lesson

import striate

lesson = open_lesson("04_mnist_plain")
SIDE = 28  # MNIST's own; all other images are scaled to it


# %%
def part_of(images, most):
    """At most so many of the images, chosen at random under a fixed seed."""
    return images.select(np.sort(np.random.default_rng(0).permutation(len(images))[:most]))


def arrays(images):
    """Pixels `image height width channel` as the network will meet them, and the number of each image's class."""
    read, _, pack = images.packed(size=SIDE)
    return np.asarray(pack.pixels)[read.rows], read.labels


said = "{:%}".format  # an accuracy with its 95 % interval and the number of images behind it


def tiles(pixels, titles, heading, columns=5):
    """Pictures in rows, each with its title; grey runs from 0 to the largest value of all."""
    rows = -(-len(pixels) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(7, 1.85 * rows + 0.5), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, title in zip(axes.flat, pixels, titles, strict=False):
        axis.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=X_train.max())
        axis.set_title(title, fontsize=8.5)
    figure.suptitle(f"{heading}\neach {height} × {width} × {channels}, 0 to {X_train.max()}", fontsize=10)
    figure.tight_layout()
    return figure


def curves(history):
    """Loss and accuracy of training and validation, epoch by epoch."""
    figure, axes = plt.subplots(1, 2, figsize=(7, 2.8))
    for axis, measure in zip(axes, ("loss", "accuracy"), strict=True):
        for part, marker in (("train", "o"), ("validation", "s")):
            values = [record[part][measure] for record in history]
            axis.plot([record["epoch"] for record in history], values, marker=marker, label=part)
        axis.set(title=measure, xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend()
    figure.tight_layout()
    return figure


# %% [markdown]
# ## Part 1. The data
#
# Three sets with three uses. The network learns from the training images; the validation images say when it is good
# enough; the test images are for the verdict alone. They are kept apart from the beginning, because a number that
# was used for choosing is no longer a fair estimate.
# %%
images = striate.load_images(lesson.images("mnist", "digits"))
train, validation, test = images.split(seed=0)
train, validation = part_of(train, lesson.pick(20_000, 1_500)), part_of(validation, 2_000)
X_train, y_train = arrays(train)
X_test, y_test = arrays(test)
classes, height, width, channels = images.classes, *X_train.shape[1:]
print(f"{len(train):,} training, {len(validation):,} validation, {len(test):,} test; {len(classes)} classes")
print(f"each {height} × {width} × {channels}, {X_train.dtype}, values {X_train.min()} to {X_train.max()}")
# %% [markdown]
# Look before you train. Are the classes about equally frequent? If one of them were nine tenths of the images, an
# accuracy of 90 % would mean nothing.
# %%
print("class        " + " ".join(f"{name[:6]:>6}" for name in classes))
for name, some in (("training", train), ("validation", validation), ("test", test)):
    counts = np.bincount(some.labels, minlength=len(classes))
    print(f"{name:<12} " + " ".join(f"{count:>6}" for count in counts))
# %%
shown = [int(np.flatnonzero(y_train == label)[0]) for label in np.unique(y_train)][:10]
figure = tiles(X_train[shown], [classes[y_train[at]] for at in shown], "One training image of each class")
lesson.show(figure, "classes", f"A training image of each of {len(shown)} classes, as the network sees it.")
# %% [markdown]
# ### Normalisation
#
# A network learns fastest from numbers around zero with a deviation near one. Both are learned from the training
# images alone and stored with the network, so that every later picture is treated the same way: $x =
# (p/p_\text{max} - \text{mean}) / \text{deviation}$.
# %%
top = np.iinfo(X_train.dtype).max if X_train.dtype.kind in "ui" else 1
scaled = X_train / top
mean, deviation = scaled.mean(axis=(0, 1, 2)), scaled.std(axis=(0, 1, 2))
normalised = (scaled - mean) / deviation
print(f"mean {mean.round(4)}, deviation {deviation.round(4)} of values scaled to 0..1, one for each channel")
print(f"afterwards: mean {abs(normalised.mean()):.4f}, deviation {normalised.std():.4f}, ", end="")
print(f"from {normalised.min():.2f} (darkest) to {normalised.max():.2f} (brightest)")
# %% [markdown]
# ### Flattening
#
# A dense layer takes a row of numbers, so the picture is laid out row after row. Two pixels that were neighbours in
# a column are now a whole row apart, and nothing in the network says that they ever belonged together.
# %%
row = normalised[0].reshape(-1)
cell = np.arange(row.size).reshape(height, width, channels)
print(f"{height} × {width} × {channels} becomes {row.size:,} numbers")
print(
    f"pixel (10, 10) is number {cell[10, 10, 0]}, right of it {cell[10, 11, 0]}, below it {cell[11, 10, 0]}"
)
# %% [markdown]
# ## Part 2. The network
#
# `mlp` is the network of many first courses: two hidden layers of 512 units with ReLU and dropout, then one output
# a class. Count a dense layer by hand: every unit has a weight for every input, and a bias.
# %%
network = striate.create_model("mlp", classes=len(classes), channels=channels, size=(height, width))
summary = striate.summarize(network, (channels, height, width))
print(summary.to_text())
# %%
sizes = [row.size, 512, 512, len(classes)]
for inputs, units in pairwise(sizes):
    print(f"{inputs:>6,} × {units:>3} weights + {units:>3} biases = {inputs * units + units:>9,}")
by_hand = sum(inputs * units + units for inputs, units in pairwise(sizes))
print(f"by hand {by_hand:,}, by the table {summary.parameters:,}")
print(
    f"the first layer holds {sizes[0] * 512 + 512:,} of them: {100 * (sizes[0] * 512 + 512) / by_hand:.0f} %"
)
assert by_hand == summary.parameters
# %% [markdown]
# ## Part 3. Training
#
# The recipe holds everything that decides how the network is trained. `translation=0` switches off the small random
# shifts that striate would otherwise add: this lesson wants to see what the network makes of the bare images.
# %%
epochs = int(np.clip(lesson.pick(120_000, 8_000) / len(train), 3, 20))
recipe = striate.Recipe(model="mlp", size=SIDE, epochs=epochs, translation=0, seed=0)
plain = striate.Classifier(recipe).fit(train, validation=validation)
learned = plain.preparation_
print(f"by training: mean {np.round(learned.mean, 4)}, deviation {np.round(learned.std, 4)}, as by hand")
for record in plain.history_:
    loss, accuracy = record["validation"]["loss"], record["validation"]["accuracy"]
    print(f"epoch {record['epoch']}: validation loss {loss:.3f}, accuracy {100 * accuracy:.1f} %")
print(f"kept: the weights of epoch {plain.kept_['epoch']}")
# %%
best = 100 * plain.kept_["validation"]["accuracy"]
lesson.show(
    curves(plain.history_), "curves", f"Validation accuracy is {best:.1f} % in the epoch that is kept."
)
# %% [markdown]
# The training values are measured while the epoch runs, with dropout switched on and weights that are still moving;
# the validation values come after it, with the whole network. This is why validation may look better at first.
#
# ## Part 4. Evaluation
#
# Now the test images, for the first time.
# %%
verdict = plain.evaluate(test)
print(verdict.sentence())
print("recall of each class:")
for one in verdict.per_class:
    print(f"{one.class_name[:12]:<12} {said(one.recall) if one.recall.n else 'no images'}")
# %% [markdown]
# The confusion matrix has a row for each true class. Its diagonal is the right answers; they are left blank here,
# so that the mistakes can be seen.
# %%
wrong = np.array(verdict.confusion_matrix)
np.fill_diagonal(wrong, 0)
figure, axis = plt.subplots(figsize=(5.6, 4.8))
plotted = axis.imshow(wrong, cmap="Blues", vmin=0, vmax=max(1, wrong.max()))
figure.colorbar(plotted, label="images", shrink=0.8).locator = MaxNLocator(integer=True)
axis.set_xticks(range(len(classes)), classes, rotation=0 if max(map(len, classes)) < 4 else 90)
axis.set_yticks(range(len(classes)), classes)
axis.set(xlabel="taken for", ylabel="is", title=f"{wrong.sum()} mistakes of {len(test):,} test images")
if len(classes) <= 12:
    for is_, taken in np.argwhere(wrong):
        shade = "white" if wrong[is_, taken] > wrong.max() / 2 else "black"
        axis.text(taken, is_, wrong[is_, taken], ha="center", va="center", fontsize=8, color=shade)
is_, taken = np.unravel_index(wrong.argmax(), wrong.shape)
says = f"The most frequent mistake: {classes[is_]} taken for {classes[taken]}, {wrong.max()} times."
lesson.show(figure, "confusion", says if wrong.max() > 1 else "No mistake was made twice.")
# %% [markdown]
# A number says how often; a picture may say why. These are the mistakes of which the network was most certain.
# %%
chances = plain.predict_proba(X_test)
answers, certain = chances.argmax(axis=1), 100 * chances.max(axis=1)
missed = np.flatnonzero(answers != y_test)
worst = missed[np.argsort(-certain[missed])][:10]
titles = [f"{classes[y_test[at]]} → {classes[answers[at]]}\n{certain[at]:.0f} %" for at in worst]
if len(worst):
    figure = tiles(X_test[worst], titles, "The most certain mistakes: true class → answer, probability")
    lesson.show(figure, "worst", f"{len(worst)} of {len(missed)} mistakes, the most certain first.")


# %% [markdown]
# ## What flattening loses
#
# A 3 that stands two pixels further to the right is the same 3. To the dense layer it is another set of inputs,
# each with weights of its own, and nothing learned at one place is known at the next. A convolutional network uses
# the same weights everywhere. `lenet5`, the subject of the next lesson, is trained here on the same images with the
# same recipe; only its learning rate is its own.
#
# Every test image is moved left, right, up and down. What enters is 0, which is the background of a digit; in
# pictures with another background the black edge is a disturbance of its own.
# %%
def shifted(pixels, down, right):
    """The images moved by whole pixels: rolled, then blanked where something came in from the other side."""
    moved = np.roll(pixels, (down, right), axis=(1, 2))
    moved[:, : max(down, 0)] = moved[:, height + min(down, 0) :] = 0
    moved[:, :, : max(right, 0)] = moved[:, :, width + min(right, 0) :] = 0
    return moved


def accuracy_shifted(classifier, step):
    """Accuracy over four directions. The four answers to an image are one group: they are not independent."""
    moves = ((0, step), (0, -step), (step, 0), (-step, 0))
    chances = np.concatenate([classifier.predict_proba(shifted(X_some, *move)) for move in moves])
    groups = np.tile(np.arange(len(X_some)), 4)
    return striate.judge(np.tile(y_some, 4), chances, classes, groups=groups).accuracy


X_some, y_some = arrays(part_of(test, lesson.pick(2_000, 250)))
steps = lesson.pick((0, 1, 2, 3, 4), (0, 2, 4))
convolutional = striate.Classifier(recipe.changed(model="lenet5")).fit(train, validation=validation)
found = {"mlp": [accuracy_shifted(plain, step) for step in steps]}
found["lenet5"] = [accuracy_shifted(convolutional, step) for step in steps]
print(f"{'shift':<6} {'light lost':>10}  {'mlp':<36} lenet5")
for at, step in enumerate(steps):
    lost = 1 - np.mean([shifted(X_some, 0, right).mean() for right in (step, -step)]) / X_some.mean()
    print(f"{step} px {100 * lost:>10.1f} %  {said(found['mlp'][at]):<36} {said(found['lenet5'][at])}")
# %%
figure, axis = plt.subplots(figsize=(6, 3.4))
for name, marker in (("mlp", "o"), ("lenet5", "s")):
    axis.plot(steps, [100 * number.value for number in found[name]], marker=marker, label=name)
    low, high = ([100 * getattr(number, end) for number in found[name]] for end in ("low", "high"))
    axis.fill_between(steps, low, high, alpha=0.25)
axis.set(xlabel="shift in pixels", ylabel="accuracy in %", xticks=steps, ylim=(0, 101))
axis.set_title(f"{len(X_some):,} test images moved four ways; bands are 95 % intervals", fontsize=10)
axis.legend()
falls = {name: 100 * (numbers[0].value - numbers[-1].value) for name, numbers in found.items()}
says = f"Moved by {steps[-1]} pixels, mlp loses {falls['mlp']:.0f} points and lenet5 {falls['lenet5']:.0f}."
lesson.show(figure, "shift", says)
# %% [markdown]
# A convolution moves its maps along with the picture, so the same parts are found, only elsewhere. The dense layers
# that read the last maps still care about the place: this is why no network here is immune. Pooling blurs the place
# a little; showing shifted images in training does more (exercise 3).
#
# ## Exercises
#
# 1. How many weights would the first layer have for a colour photograph of 400 × 400 pixels? Compare with a
#    convolution of 32 windows of 3 × 3 on the same photograph.
# 2. Shuffle the pixels of all images by one fixed permutation, and train both networks again. Which of them loses
#    by it, and what does that say about what each knows of a picture?
# 3. Train `mlp` with `translation=4`. How much of what it lost under the largest shift comes back?
# %% tags=["hide-cell"]
# Solution 1
dense = striate.count_dense((400, 400, 3), units=512)
windows = striate.count_convolution((400, 400, 3), filters=32, window=3, padding="same")
print(f"dense: {dense.parameters:,} parameters; convolution: {windows.parameters:,}")
assert (dense.parameters, windows.parameters) == (400 * 400 * 3 * 512 + 512, 3 * 3 * 3 * 32 + 32)
# %% tags=["hide-cell"]
# Solution 2
order = np.random.default_rng(1).permutation(height * width)


def shuffled(pixels):
    """All images with their pixels in the same other order."""
    return pixels.reshape(len(pixels), height * width, channels)[:, order].reshape(pixels.shape)


X_check, y_check = arrays(validation)
for name, known in (("mlp", plain), ("lenet5", convolutional)):
    again = striate.Classifier(recipe.changed(model=name))
    again.fit(shuffled(X_train), y_train, validation=(shuffled(X_check), y_check))
    before = striate.judge(y_some, known.predict_proba(X_some), classes).accuracy
    after = striate.judge(y_some, again.predict_proba(shuffled(X_some)), classes).accuracy
    print(f"{name:<7} as they are {said(before)}\n        shuffled    {said(after)}")
# %% tags=["hide-cell"]
# Solution 3
moving = striate.Classifier(recipe.changed(translation=4)).fit(train, validation=validation)
number = accuracy_shifted(moving, steps[-1])
print(f"moved by {steps[-1]}: without translation {said(found['mlp'][-1])}, with it {said(number)}")
