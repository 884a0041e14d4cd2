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
# # 10. The architectures
#
# You will read six networks, from LeNet-5 to ResNet, through tables computed from the networks themselves: what each
# layer puts out, what it costs, how deep the network is. You will work out why three small windows replace a large
# one, what a 1×1 convolution saves in GoogLeNet, and train plain and residual networks of 20 and 56 layers side by
# side. About 5 minutes on 2 cores; `--short` about 15 seconds. Needs: nothing but striate; takes CIFAR-10 if at hand.
# %%
import re

import matplotlib.pyplot as plt
import numpy as np
import torch
from opening import open_lesson
from torch import nn

import striate

lesson = open_lesson("10_architectures")
# %% [markdown]
# ## A network is a table
#
# Every paper of this history has one table that says it all: layer by layer the window, the maps and the size. Here it
# is computed from the network. `sees` is the receptive field of a cell in pixels, `every` how far the fields of
# neighbouring cells lie apart. Read it from the top: the maps get smaller, there are more of them, and each cell sees
# more of the picture.
# %%
print(striate.summarize(striate.create_model("lenet5", classes=10), (1, 28, 28)).to_text())
# %% [markdown]
# ## Six networks in one table
#
# Depth is the number of layers with weights on the longest way from the picture to the answer. The branches of an
# Inception module stand beside each other and the shortcut of a residual block is a way around, so neither can be
# counted off a list: the lesson follows, from layer to layer, what each one reads. The weights are not needed for this
# and are not made (`torch.device("meta")`), so that even VGG-16 takes no memory.
# %%
NAMES = ("lenet5", "alexnet2012", "zfnet", "vgg16", "googlenet2014", "resnet50")


def read_network(name: str) -> tuple[striate.NetworkTable, dict[str, int], int, float, float]:
    """The stages, the depth of every layer, multiply-adds, and the shares of parameters and of work in dense layers."""
    entry = striate.model_entry(name)
    shape = entry.default_input
    with torch.device("meta"):
        network = striate.create_model(name, classes=entry.default_classes, channels=shape[0], size=shape[1:])
    table, depth = striate.network_table(network, shape), {}
    layers = [layer for stage in table.stages for layer in stage.layers]
    for layer in layers:
        depth[layer.name] = max((depth.get(name, 0) for name in layer.reads), default=0) + layer.kernels
    cost = np.array([(layer.parameters, layer.multiply_adds) for layer in layers])
    dense = cost[[layer.kind == "fully connected" for layer in layers]].sum(axis=0) / cost.sum(axis=0)
    lesson.out.mkdir(parents=True, exist_ok=True)
    (lesson.out / f"{name}.svg").write_text(striate.summarize(network, shape).to_svg(name), encoding="utf8")
    return table, depth, int(cost[:, 1].sum()), *dense


known = {name: read_network(name) for name in NAMES}
print(f"{'network':<14} depth   parameters  in dense   multiply-adds  in dense   paper")
for name, (table, depth, work, weights, products) in known.items():
    count = sum(stage.parameters for stage in table.stages)
    paper = re.match(r"(?:after )?(.*?\d{4})", striate.model_entry(name).paper)[1]
    print(f"{name:<14} {max(depth.values()):>5} {count:>12,} {weights:>9.1%}", end=" ")
    print(f"{work:>15,} {products:>9.1%}   {paper}")
print(f"Drawings, a box a stage: {lesson.out}/NAME.svg, as `striate models NAME --draw FILE.svg` makes them.")
# %% [markdown]
# The two columns *in dense* are the shares of the fully connected layers. From AlexNet to VGG most parameters lie there
# and most of the work in the convolutions: a dense weight is used once for an image, a kernel's weight in every cell.
# GoogLeNet and ResNet take the mean over each of the last maps in place of the large dense layers, and the column shows
# what that saves. (LeNet-5's large layer, c5, is counted as a convolution, whose window is the whole map.) LeNet-5 is
# counted with the input of MNIST, 1 × 28 × 28, the others with 3 × 224 × 224.
# %%
deepest = max(known, key=lambda name: max(known[name][1].values()))
figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), constrained_layout=True)
for name, (table, depth, work, *_) in known.items():
    count, deep = sum(stage.parameters for stage in table.stages), max(depth.values())
    axes[0].scatter(count / 1e6, work / 1e6, s=12 * deep, alpha=0.7)
    maps = [stage.last for stage in table.stages if stage.last.cells[1] > 1]
    points = [(depth[layer.name], layer.shape[1]) for layer in maps]
    axes[1].plot(*zip(*points, strict=True), "o-", ms=4, label=f"{name}: {deep} layers")
costs = {"xlabel": "parameters, millions", "ylabel": "multiply-adds an image, millions"}
axes[0].set(xscale="log", yscale="log", title="area: depth; colours as on the right", **costs)
axes[1].set(xscale="log", yscale="log", xlabel="layers with weights so far", ylabel="side of the maps, cells")
for axis, ticks in ((axes[1].xaxis, (1, 2, 5, 10, 20, 50)), (axes[1].yaxis, (5, 7, 14, 28, 56, 112, 224))):
    axis.set_ticks(ticks, labels=ticks)
axes[1].legend(fontsize=8, title="at the end of each stage", title_fontsize=8)
lesson.show(figure, "networks", f"Maps get smaller while a network grows deeper; {deepest} is the deepest.")
# %% [markdown]
# ## VGG: three 3×3 instead of one 7×7
#
# ZFNet begins with a window of 7 × 7. VGG has windows of 3 × 3 only, and stacks them. What a cell of the last map sees,
# and what it costs, counted for 64 maps in and out:
# %%
for what, window, times in (("one 7 × 7", 7, 1), ("three 3 × 3", 3, 3)):
    sees = striate.receptive_field([(window,)] * times).size
    layer = striate.count_convolution((56, 56, 64), filters=64, window=window, padding=window // 2)
    weights, work = times * layer.parameters, times * layer.connections
    print(f"{what:<12} sees {sees} × {sees}, {weights:>7,} parameters, {work:>11,} multiply-adds")
# %% [markdown]
# The reason is a count of weights for each pair of maps: 3 · 3² = 27 against 7² = 49. The same field costs less, and
# there are three rectifiers in it instead of one, so the stack can be a function that one window cannot be. It pays
# with memory: two more maps have to be kept for the way back.
#
# ## GoogLeNet: what a 1×1 convolution is for
#
# A 1×1 convolution looks at one cell and mixes its channels; it is a dense layer applied in every cell. Inception
# module 3a reads 192 maps of 28 × 28 and looks at them through windows of 1, 3 and 5 cells. Done directly, the large
# windows meet all 192 maps. The paper first reduces these to 96 and 16 by 1×1 convolutions. Below, each convolution is
# a triple: maps in, maps out, window.
# %%
DIRECT = {"1 × 1": [(192, 64, 1)], "3 × 3": [(192, 128, 3)], "5 × 5": [(192, 32, 5)], "pooling": []}
REDUCED = {
    "3 × 3": [(192, 96, 1), (96, 128, 3)],
    "5 × 5": [(192, 16, 1), (16, 32, 5)],
    "pooling": [(192, 32, 1)],
}


def multiply_adds(convolutions: list[tuple[int, int, int]], side: int = 28) -> int:
    """Those of some convolutions on maps of one size, padded so that they keep it."""
    count, cells = striate.count_convolution, (side, side)
    return sum(
        count((*cells, ins), outs, size, padding=size // 2).connections for ins, outs, size in convolutions
    )


forms = (DIRECT, DIRECT | REDUCED)
cost = {branch: [multiply_adds(form[branch]) for form in forms] for branch in DIRECT}
cost["together"] = np.sum(list(cost.values()), axis=0).tolist()
print(f"{'branch':<10} {'direct':>12} {'reduced':>12}")
for branch, (direct, reduced) in cost.items():
    times = f"   {direct / reduced:.2f} to 1" if direct else ""
    print(f"{branch:<10} {direct:>12,} {reduced:>12,}{times}")
print(f"maps that leave it: {64 + 128 + 32 + 192} direct, {64 + 128 + 32 + 32} reduced")
# %% [markdown]
# The last line matters as much as the sum. Pooling has no weights and passes on all its maps, so without a 1×1 behind
# it a module always puts out more maps than it reads, and the next module pays for them. The network must agree:
# %%
module = next(stage for stage in known["googlenet2014"][0].stages if stage.name == "3a")
work = sum(layer.multiply_adds for layer in module.layers)
print(
    f"3a of googlenet2014: {work:,} multiply-adds, {module.parameters:,} parameters, out {module.last.shape}"
)
assert work == cost["together"][1]


# %% [markdown]
# ## ResNet: plain against residual
#
# A deeper network can do whatever a shallower one does, if its further layers pass on what they get. He and others
# found that plain networks do not learn this: with 56 layers the *training* error was higher than with 20, so it is
# no overfitting. Their remedy is to let a block learn what to **add** to its input. Both kinds are built here from one
# block, so that they differ in the addition alone. The shortcut has no weights: where maps are halved it takes every
# second cell and fills up with maps of zeros.
# %%
def filtered(maps: int, width: int, stride: int = 1) -> list[nn.Module]:
    """A 3×3 convolution with He's initial weights, and its batch normalisation."""
    convolution = nn.Conv2d(maps, width, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out")
    return [convolution, nn.BatchNorm2d(width)]


class Block(nn.Module):
    """Two convolutions; a residual block adds what came in before the last rectifier."""

    def __init__(self, maps: int, width: int, *, residual: bool) -> None:
        super().__init__()
        self.stride, self.more, self.residual = width // maps, (width - maps) // 2, residual
        self.branch = nn.Sequential(*filtered(maps, width, self.stride), nn.ReLU(), *filtered(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.residual:
            return torch.relu(self.branch(x))
        came = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return torch.relu(self.branch(x) + came)


def build(depth: int, classes: int, channels: int, *, residual: bool, seed: int = 0) -> striate.Network:
    """The network of 6n + 2 layers for small images of He et al. 2016, section 4.2, or its plain twin."""
    torch.manual_seed(seed)
    stages = {"stem": nn.Sequential(*filtered(channels, 16), nn.ReLU())}
    for number, (maps, width) in enumerate(((16, 16), (16, 32), (32, 64)), start=1):
        widths = [maps] + [width] * ((depth - 2) // 6 - 1)
        stages[f"stage{number}"] = nn.Sequential(*(Block(one, width, residual=residual) for one in widths))
    output = nn.Linear(64, classes)
    nn.init.normal_(output.weight, std=0.01)
    return striate.Network(stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), output))


KINDS = {"plain20": (20, False), "plain56": (56, False), "residual20": (20, True), "residual56": (56, True)}
for name, (depth, residual) in KINDS.items():
    found = striate.summarize(build(depth, 10, 3, residual=residual), (3, 32, 32))
    catalogue = striate.create_model(f"resnet{depth}", classes=10, channels=3, size=(32, 32))
    print(f"{name:<11} {found.parameters:>9,} parameters {found.multiply_adds:>12,} multiply-adds")
    assert found.multiply_adds == striate.summarize(catalogue, (3, 32, 32)).multiply_adds
# %% [markdown]
# The addition costs neither a weight nor a multiply-add, and the figures are those of `resnet20` and `resnet56` in the
# catalogue. Now all four learn from the same images in the same order, for a few epochs on small pictures, with the
# paper's optimiser: SGD with momentum 0.9 and decay 0.0001, its rate of 0.1 for batches of 128 scaled to ours. Compare
# the training loss: the question is what can be *learned*, not what generalises, and no test image is needed.
# %%
SIDE, BATCH = lesson.pick((16, 64), (8, 16))
images, _, pack = striate.load_images(lesson.images("cifar10", "digits")).packed(size=SIDE)
train, validation, _ = images.split(seed=0)
chance = np.random.default_rng(0)
train = train.select(np.sort(chance.permutation(len(train))[: lesson.pick(5000, 300)]))
validation = validation.select(np.sort(chance.permutation(len(validation))[: lesson.pick(500, 100)]))
sgd = {"optimiser": "sgd", "learning_rate": 0.1 * BATCH / 128, "batch_size": BATCH, "weight_decay": 1e-4}
recipe = striate.Recipe(size=SIDE, epochs=lesson.pick(8, 3), translation=0, keep="last", **sgd)
print(f"{recipe.epochs} epochs of {len(train):,} images of {SIDE} × {SIDE}, {len(train.classes)} classes")


def learn(name: str, seed: int = 0) -> tuple[striate.Network, striate.Classifier, list[float]]:
    """One of the four as it begins, what training makes of it, and the training loss of each epoch."""
    begun = build(KINDS[name][0], len(train.classes), pack.channels, residual=KINDS[name][1], seed=seed)
    own = recipe.model_copy(update={"seed": seed})
    learned = striate.Classifier(own, network=begun).fit(train, validation=validation)
    losses = [record["train"]["loss"] for record in learned.history_]
    print(f"{name:<11} training loss by epoch: {' '.join(f'{loss:.2f}' for loss in losses)}")
    return begun, learned, losses


runs = {name: learn(name) for name in KINDS}
# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, constrained_layout=True)
for name, (_, _, losses) in runs.items():
    axis = axes[int(KINDS[name][1])]
    axis.plot(range(1, len(losses) + 1), losses, "o--" if name.endswith("20") else "o-", ms=3, label=name)
    axis.set(xlabel="epoch", ylabel="training loss", title=f"{len(train):,} images, {SIDE} × {SIDE}")
    axis.legend()
axes[0].set_ylim(bottom=0)
last = {name: losses[-1] for name, (_, _, losses) in runs.items()}
more = {kind: last[f"{kind}56"] - last[f"{kind}20"] for kind in ("plain", "residual")}
says = " and ".join(f"{value:+.2f} to that of the {kind} network" for kind, value in more.items())
lesson.show(figure, "plain-and-residual", f"36 layers more add {says} at the end.")
# %% [markdown]
# One run of one seed is an example, not a proof; exercise 2 repeats the pair that matters.
#
# ## Where the gradient goes
#
# The step that a layer takes is set by its gradient. Take one batch, and of every convolution the size of the gradient
# as a share of the size of its weights, ‖g‖ / ‖w‖: by how much of itself a step of rate 1 would change it.
# %%
pixels = np.stack([pack.pixels[row] for row in train.rows[:64]])
batch = striate.to_input(pixels, runs["plain20"][1].preparation_)
answers = torch.from_numpy(train.labels[:64].astype(np.int64))


def gradient_shares(network: striate.Network) -> list[np.ndarray]:
    """‖g‖ / ‖w‖ of every convolution, one array a stage, on the batch and in training mode."""
    network.train()
    network.zero_grad()
    nn.functional.cross_entropy(network(batch), answers).backward()
    stages = [[w for w in stage.parameters() if w.dim() == 4] for stage in network.stages.values()]
    return [np.array([(w.grad.norm() / w.norm()).item() for w in weights]) for weights in stages]


figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, constrained_layout=True)
print(f"{'median ‖g‖/‖w‖ of':<20}" + "".join(f"{stage:>10}" for stage in runs["plain56"][0].stage_names))
says = []
for name in ("plain56", "residual56"):
    begun, learned, _ = runs[name]
    for axis, when, network in zip(axes, ("start", "end"), (begun, learned.network_), strict=True):
        shares = gradient_shares(network)
        every = np.concatenate(shares)
        print(f"{name:<12}{when:<8}" + "".join(f"{np.median(each):>10.2g}" for each in shares))
        axis.semilogy(range(1, len(every) + 1), every, ".-", lw=1, label=name)
        axis.set(xlabel="convolution, from the picture on", ylabel="‖g‖ / ‖w‖", title=f"{when} of training")
        axis.legend()
        says.append(f"{every.max() / every.min():,.0f} in {name} at the {when}")
lesson.show(figure, "gradients", f"The largest share is so many times the smallest: {', '.join(says)}.")
# %% [markdown]
# One rate serves all layers. Where their shares lie far apart, what is a fair step for one layer is a leap for another,
# and the table says for which. A shortcut carries the gradient past a block unchanged, beside what comes through it.
#
# ## Exercises
#
# 1. ResNet-50's bottleneck reduces 256 maps to 64 by a 1×1 convolution, works on these with 3×3, and widens again by
#    1×1. How many multiply-adds does it save on 56 × 56 cells against two 3×3 convolutions of 256 maps?
# 2. Repeat plain56 and residual56 with other first weights (`seed=1`). Is the order of their losses the same?
# %% tags=["hide-cell"]
# Solution 1
wide = multiply_adds([(256, 256, 3)] * 2, side=56)
narrow = multiply_adds([(256, 64, 1), (64, 64, 3), (64, 256, 1)], side=56)
print(f"two 3 × 3: {wide:,}; bottleneck: {narrow:,}; {wide / narrow:.1f} to 1")
# %% tags=["hide-cell"]
# Solution 2
again = {name: learn(name, seed=1)[2][-1] for name in ("plain56", "residual56")}
same = (last["plain56"] > last["residual56"]) == (again["plain56"] > again["residual56"])
print("The order is the same." if same else "The order is another: with this much training the seed decides.")
