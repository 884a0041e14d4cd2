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
# # 13. Exercises
#
# You will find questions on everything in these lessons, each with the call that answers it, and then an exercise from
# start to end: a classifier of clothes on Fashion-MNIST. Think of the answer before you open it. About 1 minute on
# 2 cores with the digits, some minutes with Fashion-MNIST; `--short` about 15 seconds. Needs: nothing but striate;
# Fashion-MNIST where `striate data download fashion-mnist` has brought it, else the digits that come with striate.
# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from opening import open_lesson

import striate

lesson = open_lesson("13_exercises")


said = "{:%}".format  # a rate with its interval and its n


# %% [markdown]
# ## Image data and channels
#
# 1\. How many bytes does a colour picture of 1000 × 1000 pixels take, and how many a grey one of 28 × 28?
# %% tags=["hide-output"]
print(striate.storage_bytes(1000, 1000, 3), striate.storage_bytes(28, 28))
# %% [markdown]
# 2\. Which of pure red, green and blue is the brightest once the picture is grey?
# %% tags=["hide-output"]
pure = np.eye(3, dtype=np.uint8)[None] * 255
print(dict(zip(("red", "green", "blue"), striate.to_grey(pure)[0].round(1).tolist(), strict=True)))
# %% [markdown]
# 3\. How is the label 2 of four classes written for the loss?
# %% tags=["hide-output"]
print(striate.one_hot([2], classes=4).tolist())
# %% [markdown]
# ## Convolution, stride, padding, kernels
#
# 4\. In one dimension, by hand first: the signal 1 2 3 4 with the kernel 1 0 -1, as networks slide it and as
# mathematics does.
# %% tags=["hide-output"]
for indexing in ("cross-correlation", "convolution"):
    print(indexing, striate.convolve([1, 2, 3, 4], [1, 0, -1], indexing=indexing).tolist())
# %% [markdown]
# 5\. 28 pixels and a window of 5: how many cells? And 224 pixels, window 7, stride 2, padding 3? Which padding keeps
# the size with a window of 5?
# %% tags=["hide-output"]
print(striate.output_size(28, window=5), striate.output_size(224, window=7, stride=2, padding=3))
print(striate.same_padding_ends(5))
# %% [markdown]
# 6\. Which of Sobel's two kernels answers to a vertical edge?
# %% tags=["hide-output"]
edge = np.repeat([[0, 0, 0, 9, 9, 9]], 6, axis=0)
for name in ("sobel_x", "sobel_y"):
    print(name, np.abs(striate.convolve(edge, getattr(striate.kernels, name))).max())
# %% [markdown]
# ## Pooling
#
# 7\. Maximum and average of the same windows: which shape do both have?
# %% tags=["hide-output"]
image = np.array([[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]])
print({kind: striate.pool(image, kind).tolist() for kind in ("max", "average")})
# %% [markdown]
# 8\. What does a cell see after 5 × 5, pooling, 5 × 5, pooling? And after two 3 × 3, beside one 5 × 5?
# %% tags=["hide-output"]
print(striate.receptive_field([(5,), (2, 2), (5,), (2, 2)]).size)
print(striate.receptive_field([(3,), (3,)]).size, striate.receptive_field([(5,)]).size)
# %% [markdown]
# ## Activation, flattening, dense and output layers
#
# 9\. What do ReLU, the sigmoid and tanh make of -2, 0 and 2?
# %% tags=["hide-output"]
at = np.array([-2.0, 0.0, 2.0])
print(
    {name: getattr(striate.activations, name)(at).round(3).tolist() for name in ("relu", "sigmoid", "tanh")}
)
# %% [markdown]
# 10\. Which shape is flattened in LeNet-5, and what do its last layers put out?
# %% tags=["hide-output"]
lenet = striate.summarize(striate.create_model("lenet5", classes=10), (1, 28, 28))
print([(row.kind, row.output_shape) for row in lenet.rows if row.stage in ("s4", "c5", "head")])
# %% [markdown]
# 11\. What turns three scores into probabilities, and what do they sum to?
# %% tags=["hide-output"]
chances = striate.activations.softmax([2.0, 1.0, 0.0])
print(chances.round(3).tolist(), chances.sum().round(6))
# %% [markdown]
# ## Plain and convolutional networks
#
# 12\. A layer on a 28 × 28 picture: the parameters of 32 dense units, and of 32 filters of 3 × 3?
# %% tags=["hide-output"]
print(
    striate.count_dense((28, 28), units=32).parameters, striate.count_convolution((28, 28), 32, 3).parameters
)
# %% [markdown]
# 13\. Does the result move with the picture? Once for a convolution, once for a dense layer.
# %% tags=["hide-output"]
dense = np.random.default_rng(0).normal(size=(256, 256))
picture = np.random.default_rng(1).random((16, 16))
layers = {
    "convolution": lambda x: striate.convolve(x, striate.kernels.blur, padding="same"),
    "dense": lambda x: (dense @ x.reshape(-1)).reshape(16, 16),
}
for name, layer in layers.items():
    print(name, striate.equivariance(layer, picture, (1, 2)).holds)
# %% [markdown]
# ## From LeNet-5 to ResNet
#
# 14\. How did parameters, work and the number of layers with weights grow?
# %% tags=["hide-output"]
for name in ("lenet5", "alexnet", "vgg16", "googlenet", "resnet50"):
    shape = striate.model_entry(name).default_input
    found = striate.summarize(striate.create_model(name, classes=1000, weights=False), shape)
    deep = sum(row.multiply_adds > 0 for row in found.rows)
    print(
        f"{name:<10}{found.parameters:>13,} parameters {found.multiply_adds:>15,} multiply-adds {deep:>4} layers"
    )
# %% [markdown]
# 15\. What does the sum at the end of a residual block read?
# %% tags=["hide-output"]
compact = striate.create_model("compact", classes=10, channels=3, size=(32, 32))
print(striate.network_table(compact, (3, 32, 32)).layer("stage1.block.sum").reads)
# %% [markdown]
# ## Dropout, augmentation, batch normalisation
#
# 16\. Does dropout change an answer in training? And in prediction?
# %% tags=["hide-output"]
dropping = striate.create_model("mlp", classes=10, channels=1, size=(28, 28), dropout=0.5)
ones = torch.ones(1, 1, 28, 28)
for mode in (True, False):
    dropping.train(mode)
    print("training" if mode else "prediction", "same twice:", torch.equal(dropping(ones), dropping(ones)))
# %% [markdown]
# 17\. Where does a pixel at row 4, column 4 stand in three epochs with shifts of up to 2 pixels?
# %% tags=["hide-output"]
dot = np.zeros((1, 9, 9, 1), np.uint8)
dot[0, 4, 4] = 255
prepared = striate.Preparation(height=9, width=9, channels=1, depth="uint8", mean=(0.0,), std=(1.0,))
one = np.zeros(1, int)
shifting = striate.Batches(dot, one, one, prepared, batch_size=1, seed=0, translation=2)
print([divmod(int(batch.inputs.argmax()), 9) for epoch in range(3) for batch in shifting.epoch(epoch)])
# %% [markdown]
# 18\. What mean and deviation leaves batch normalisation, and how many parameters does it add to LeNet-5?
# %% tags=["hide-output"]
left = torch.nn.BatchNorm2d(1)(5 + 3 * torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
more = striate.create_model("lenet5", classes=10, changes=striate.Changes(batch_norm=True))
added = striate.summarize(more, (1, 28, 28)).parameters - lenet.parameters
print(f"mean {abs(left.mean()):.3f}, deviation {left.std():.3f}, {added} parameters more")
# %% [markdown]
# ## Accuracy, precision, recall, F1, sensitivity, specificity, ROC, AUC
#
# 19\. Of 50 ill 40 are found, of 150 healthy 15 are called ill. Accuracy, precision, recall (sensitivity),
# specificity, F1?
# %% tags=["hide-output"]
truth = np.repeat([1, 1, 0, 0], [40, 10, 15, 135])
ill = np.repeat([0.9, 0.2, 0.7, 0.1], [40, 10, 15, 135])
verdict = striate.judge(truth, np.stack([1 - ill, ill], axis=1), ["healthy", "ill"])
rates = {name: getattr(verdict.per_class[1], name) for name in ("precision", "recall", "specificity", "f1")}
for name, number in {"accuracy": verdict.accuracy, **rates}.items():
    print(f"{name}: {said(number)}")
# %% [markdown]
# 20\. The ROC curve goes through which points, and what is the area under it?
# %% tags=["hide-output"]
curve = verdict.per_class[1].roc
points = zip(curve.false_positive_rate, curve.true_positive_rate, strict=True)
print([(round(float(x), 2), round(float(y), 2)) for x, y in points], said(verdict.per_class[1].auc))
# %% [markdown]
# 21\. Of 100 images 95 are of one class. What are accuracy and balanced accuracy of always saying that class?
# %% tags=["hide-output"]
always = striate.judge(np.repeat([0, 1], [95, 5]), np.tile([0.9, 0.1], (100, 1)), ["common", "rare"])
print(said(always.accuracy), "balanced:", said(always.balanced_accuracy))
# %% [markdown]
# ## Inside a trained network, and its use for other work
#
# A small network is taught on the images of the exercise below. It is kept in a folder with its TensorBoard events.
# %%
at_hand = not lesson.short and lesson.source is None and striate.is_downloaded("fashion-mnist")
source = "fashion-mnist" if at_hand else lesson.images("digits")
if lesson.source is None and not at_hand:
    print("Fashion-MNIST is not at hand, or this is the short form: the exercise runs on digits.")
table = striate.load_images(source).packed()[0].with_splits(seed=0)


def part(split, most):
    """At most so many images of a split, taken evenly."""
    chosen = table.of_split(split)
    return chosen.select(np.linspace(0, len(chosen) - 1, min(most, len(chosen))).astype(int))


train, validation = part("train", lesson.pick(6000, 400)), part("validation", lesson.pick(2000, 150))
run = lesson.folder("run")
QUICK = {"size": 28, "epochs": lesson.pick(4, 3), "batch_size": lesson.pick(128, 32)}
small = striate.Classifier(striate.Recipe(model="compact", **QUICK))
small.fit(train, validation=validation, out=run)
print(f"{source}: {len(table):,} images, {len(train):,} of them to learn from, {len(table.classes)} classes")
# %% [markdown]
# 22\. What does TensorBoard read, and how is it started?
# %% tags=["hide-output"]
print([file.name.split(".")[0] for file in sorted((run / "tensorboard").rglob("*")) if file.is_file()])
print(f"tensorboard --logdir {run.name}")
# %% [markdown]
# 23\. What shape have the first layer's filters, and what shape the maps of each stage?
# %% tags=["hide-output"]
network, shape = small.network_, small.preparation_.input_shape()
print(striate.filters(network).weights.shape)
pixels = np.asarray(train.packed(size=(28, 28))[2].pixels)[train.rows[:1]]
inputs = striate.to_input(pixels, small.preparation_)
print(
    {
        stage: tuple(striate.feature_maps(network, inputs, stage).maps.shape[1:])
        for stage in network.stage_names
    }
)
# %% [markdown]
# 24\. Deconvnet: how many pixels does one activation of the first stage lead back to, and how many could its cell
# see?
# %% tags=["hide-output"]
back = striate.project(network, inputs, network.stage_names[0])
print(
    int((back[0] != 0).any(dim=0).sum()), striate.feature_maps(network, inputs, network.stage_names[0]).sees
)
# %% [markdown]
# 25\. Feature extraction: how many numbers does the last layer read of a picture?
# %% tags=["hide-output"]
print(striate.penultimate(network, [inputs]).shape)
# %% [markdown]
# 26\. Freezing: which stages keep their weights with `freeze=all`, and which in fine-tuning?
# %% tags=["hide-output"]
for title, fields in {"freeze=all": {"freeze": "all"}, "fine-tuning": {"base_rate": 0.1}}.items():
    again = striate.Classifier(striate.Recipe(weights=str(run), epochs=1, keep="last", **fields))
    again.fit(train, validation=validation)
    pairs = {stage: (network.stages[stage], again.network_.stages[stage]) for stage in network.stage_names}
    same = [all(map(torch.equal, a.parameters(), b.parameters())) for a, b in pairs.values()]
    print(title, "kept:", [stage for stage, kept in zip(pairs, same, strict=True) if kept])
# %% [markdown]
# ## Exercises
#
# A classifier of clothes on Fashion-MNIST (or of the images named above), on the parts `train` and `validation`.
#
# 1. Look at one picture of each class. Then choose a network on validation: `mlp`, `lenet5` or `compact`.
# 2. Try three changes of the recipe with that network, again on validation. Does any stand out from chance?
# 3. Open the test images once, with the choice made. Give the verdict, and say which classes are mistaken for which.
# %% tags=["hide-cell"]
# Solution 1
pack = train.packed()[2]
first = [train.rows[np.flatnonzero(train.labels == label)[0]] for label in np.unique(train.labels)[:10]]
figure, axes = plt.subplots(2, 5, figsize=(7, 3.2), layout="constrained")
for axis, row in zip(axes.flat, first, strict=False):
    picture = np.asarray(pack.pixels[row])
    label = train.classes[train.labels[train.rows == row][0]]
    axis.imshow(np.squeeze(picture), cmap="gray", vmin=0)
    axis.set(xticks=[], yticks=[])
    axis.set_title(
        f"{label}\n{'×'.join(map(str, picture.shape))}, {picture.min()}–{picture.max()}", fontsize=8
    )
lesson.show(figure, "classes", f"One picture of each of {len(first)} classes of {source}.")
plt.close(figure)


def tried(**fields):
    """The accuracy of a recipe on validation; fields are changes of the recipe."""
    recipe = striate.Recipe(**{**QUICK, **fields})
    return striate.Classifier(recipe).fit(train, validation=validation).evaluate(split="validation").accuracy


networks = {name: tried(model=name) for name in ("mlp", "lenet5", "compact")}
for name, number in networks.items():
    print(f"{name:<8} {said(number)} on validation")
best = max(networks, key=lambda name: networks[name].value)
# %% tags=["hide-cell"]
# Solution 2
CHANGES = {"as it is": {}, "twice the epochs": {"epochs": lesson.pick(8, 6)}, "no shifts": {"translation": 0}}
CHANGES["labels smoothed"] = {"label_smoothing": 0.1}
found = {name: tried(model=best, **change) if change else networks[best] for name, change in CHANGES.items()}
for name, number in found.items():
    apart = number.low > found["as it is"].high or number.high < found["as it is"].low
    print(f"{best}, {name:<17} {said(number)}{'; the intervals do not overlap' if apart else ''}")
chosen = max(found, key=lambda name: found[name].value)
print("chosen:", chosen)
# %% tags=["hide-cell"]
# Solution 3
recipe = striate.Recipe(**{**QUICK, "model": best, **CHANGES[chosen]})
final = striate.Classifier(recipe).fit(part("train", lesson.pick(20000, 400)), validation=validation)
verdict = final.evaluate(table.of_split("test"))
print("accuracy:", said(verdict.accuracy), "balanced:", said(verdict.balanced_accuracy))
counts = np.array(verdict.confusion_matrix)
pairs = counts * (1 - np.eye(len(counts), dtype=int))
for index in np.argsort(-pairs, axis=None)[:3]:
    true, called = np.unravel_index(index, pairs.shape)
    print(
        f"{pairs[true, called]} of {counts[true].sum()} {verdict.classes[true]} are called {verdict.classes[called]}"
    )
