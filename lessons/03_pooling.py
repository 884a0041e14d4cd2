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
# # 3. Pooling, sizes, receptive fields
#
# You will pool by hand and on a picture, and put the maxima back where they stood; work out the sizes of LeNet-5 and
# AlexNet layer by layer and hold them against the networks themselves; see how much of a picture one cell sees as
# layers are stacked; measure what happens when the picture moves; and count what sharing weights saves. Under a
# minute on 2 cores; `--short` about 10 seconds. Needs: nothing but striate.
# %%
import numpy as np
from matplotlib.figure import Figure
from opening import open_lesson

import striate

lesson = open_lesson("03_pooling")
photo = striate.working_copy(lesson.picture(), 192).pixels
enlarged = -(-64 // min(photo.shape[:2]))  # a very small picture could not be moved and pooled
photo = photo.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
grey = striate.to_grey(photo)
print(f"picture: {photo.shape}, grey {grey.shape}")
# %% [markdown]
# ## Pooling
#
# Pooling makes one number of each window: the largest, or the mean. The window usually moves by its own size, so that
# every pixel belongs to one window. There is nothing to learn in it.
# %%
board = [[2, 2, 7, 3], [9, 4, 6, 1], [8, 5, 2, 4], [3, 1, 2, 6]]
for kind in ("max", "average"):
    print(striate.pool_step_text(board, kind, 2, (0, 0)) + "\n")
for kind in ("max", "average", "global max", "global average"):
    print(f"{kind:<15}{striate.pool(board, kind).tolist()}")
overlapping = striate.pool(board, "max", window=3, stride=1)
print(f"windows of 3 in steps of 1, which overlap: {overlapping.tolist()}")
left_out = 1 - striate.pool(board).size / np.size(board)
print(f"a window of 2 × 2 leaves out {left_out:.0%} of the numbers")
for kind in ("max", "average"):
    says = f"{kind.capitalize()} pooling: each window of 2 × 2 on the left is one cell on the right."
    lesson.show(striate.show_pooling(board, kind), kind, says)
# %% [markdown]
# ## Where the maximum stood
#
# Max pooling forgets places: within a window anything may move. `max_pool` returns them beside the values, as
# *switches*: the number of the winning pixel, counted row by row. `unpool` puts each value back at its switch and zero
# elsewhere. A deconvolutional network walks back through a trained network in this way.
# %%
values, switches = striate.max_pool(board)
print(f"values {values.tolist()}, switches {switches.tolist()}")
print(striate.unpool(values, switches, (4, 4)))


# %%
def panels(maps, titles):
    """Non-negative maps side by side, each on its own scale from 0, dark, to its maximum."""
    tall = maps[0].shape[0] / maps[0].shape[1]
    figure = Figure(figsize=(9, 9 / len(maps) * tall + 0.7), layout="constrained")
    for axes, one, title in zip(figure.subplots(1, len(maps)), maps, titles, strict=True):
        axes.imshow(one, cmap="viridis", vmin=0, interpolation="nearest")
        size = f"{one.shape[0]} × {one.shape[1]} · {one.min():.3g}..{one.max():.3g}"
        axes.set(xticks=[], yticks=[], title=f"{title}\n{size}")
        axes.title.set_fontsize(10)
    return figure


steep = striate.gradient_magnitude(grey)
values, switches = striate.max_pool(steep, 4)
back = striate.unpool(values, switches, steep.shape)
means = striate.pool(steep, "average", 4)
figure = panels([steep, values, means, back], ["edges", "max of 4 × 4", "mean of 4 × 4", "unpooled"])
kept = f"{np.count_nonzero(back) / back.size:.1%}"
lesson.show(
    figure, "switches", f"Unpooled, {kept} of the cells are not zero, and they stand where the edges were."
)
print(f"mean of what max pooling keeps {values.mean():.1f}, of average pooling {means.mean():.1f}")
# %% [markdown]
# ## Sizes, layer by layer
#
# Convolution and pooling follow one rule: ⌊(n − f + 2p) / s⌋ + 1 cells. A layer of k kernels of f × f × c has
# (f·f·c + 1)·k parameters, the 1 for the bias. With these two rules a network is worked out on paper. The table below
# does so from the list of its layers, and knows nothing of the network itself.
# %%
# kind, maps, window, stride, padding
LENET = [
    ("convolution", 6, 5, 1, 2), ("pooling", 0, 2, 2, 0),
    ("convolution", 16, 5, 1, 0), ("pooling", 0, 2, 2, 0),
    ("convolution", 120, 5, 1, 0), ("dense", 84, 0, 0, 0), ("dense", 10, 0, 0, 0),
]  # fmt: skip


def work_out(layers, size, channels):
    """Of each layer: its kind, the shape that leaves it, its parameters, and how many pixels a cell sees."""
    shape, seen, rows = (channels, size, size), [], []
    for kind, maps, window, stride, padding in layers:
        if kind == "dense":
            parameters = striate.count_dense(shape, maps).parameters
            rows.append((kind, (maps,), parameters, None))
        else:
            cells = striate.output_size(shape[1], window, stride, padding)
            seen.append((window, stride, 1, padding))
            parameters = (window**2 * shape[0] + 1) * maps
            rows.append(
                (kind, (maps or shape[0], cells, cells), parameters, striate.receptive_field(seen).size)
            )
        shape = rows[-1][1]
    return rows


def tell(rows):
    """Print the worked table."""
    print(f"{'layer':<13}{'output':<16}{'parameters':>12}  sees")
    for kind, shape, parameters, seen in rows:
        sees = f"{seen} × {seen}" if seen else "all"
        print(f"{kind:<13}{' × '.join(map(str, shape)):<16}{parameters:12,}  {sees}")
    print(f"{'':<29}{sum(row[2] for row in rows):12,}")


lenet = work_out(LENET, 28, 1)
tell(lenet)
# %% [markdown]
# `striate.summarize` walks through the network itself and writes down what leaves each layer. It has to agree.
# %%
COUNTED = ("convolution", "average pooling", "max pooling", "fully connected")


def agrees(worked, name, size, channels, classes):
    """Whether a network has the worked shapes, parameters and receptive fields, layer by layer."""
    network = striate.create_model(name, classes=classes, channels=channels, size=(size, size))
    rows = [row for row in striate.summarize(network, (channels, size, size)).rows if row.kind in COUNTED]
    found = [(row.output_shape, row.parameters, row.receptive_field) for row in rows]
    return len(found) == len(worked) and all(
        theirs[:2] == ours[1:3] and (ours[3] is None or theirs[2] == (ours[3], ours[3]))
        for ours, theirs in zip(worked, found, strict=True)
    )


network = striate.create_model("lenet5", classes=10, channels=1, size=(28, 28))
print(striate.summarize(network, (1, 28, 28)).to_text())
print("\nworked out by hand and walked through agree:", agrees(lenet, "lenet5", 28, 1, 10))
# %% [markdown]
# AlexNet begins with a riddle. Its paper says 224 × 224 pixels, a window of 11, a stride of 4, and 55 × 55 cells. The
# rule shows what goes together.
# %%
for size, padding in ((224, 0), (227, 0), (224, 2)):
    cells = striate.output_size(size, window=11, stride=4, padding=padding)
    print(f"{size} pixels, padding {padding}: {cells} cells")
print("sizes without padding that end in 55 cells:", striate.input_sizes(55, window=11, stride=4))
ALEXNET = [
    ("convolution", 64, 11, 4, 2), ("pooling", 0, 3, 2, 0),
    ("convolution", 192, 5, 1, 2), ("pooling", 0, 3, 2, 0),
    ("convolution", 384, 3, 1, 1), ("convolution", 256, 3, 1, 1),
    ("convolution", 256, 3, 1, 1), ("pooling", 0, 3, 2, 0),
    ("dense", 4096, 0, 0, 0), ("dense", 4096, 0, 0, 0), ("dense", 1000, 0, 0, 0),
]  # fmt: skip
alexnet = work_out(ALEXNET, 224, 3)
tell(alexnet)
dense = sum(row[2] for row in alexnet if row[0] == "dense") / sum(row[2] for row in alexnet)
print(f"dense layers hold {dense:.1%} of the parameters")
if not lesson.short:
    print("worked out by hand and walked through agree:", agrees(alexnet, "alexnet", 224, 3, 1000))
# %% [markdown]
# ## What one cell sees
#
# A cell of the first layer sees one window. A cell of the next sees a window of such cells, and so more of the picture.
# Each layer adds (f − 1) times the product of all strides before it. So depth adds, and strides multiply.
# %%
STACKS = {
    "3 × 3": lambda depth: [(3,)] * depth,
    "5 × 5": lambda depth: [(5,)] * depth,
    "3 × 3, pooling": lambda depth: ([(3,), (2, 2)] * depth)[:-1],
    "3 × 3, dilated": lambda depth: [(3, 1, 2**layer) for layer in range(depth)],
}
fields = {
    name: [striate.receptive_field(stack(depth)).size for depth in range(1, 8)]
    for name, stack in STACKS.items()
}
print(f"{'convolutions':<18}" + "".join(f"{depth:6}" for depth in range(1, 8)))
for name, sizes in fields.items():
    print(f"{name:<18}" + "".join(f"{size:6}" for size in sizes))
print("pooling by 2 between the convolutions; dilation 1, 2, 4, … from one to the next")
# %% [markdown]
# Three layers of 3 × 3 see as much as one of 7 × 7. With c channels in and out they have 3·9·c² weights instead of
# 49·c², and two more activations between them. This is VGG's argument. Do they see it *evenly*? Let every weight be
# equal and ask how often each pixel is counted: that is the kernel of ones, three times over.
# %%
ones = np.ones((3, 3))
weighing = striate.convolve(striate.convolve(ones, ones, padding="full"), ones, padding="full")
weighing /= weighing.sum()
middle = weighing[2:5, 2:5].sum()
print(f"field of three layers of 3 × 3: {weighing.shape}, of 7 × 7: {striate.receptive_field([(7,)]).size}")
print(f"weights a pair of channels: {3 * 9} and {7 * 7}; the inner 9 of 49 pixels weigh {middle:.0%} of all")
figure = Figure(figsize=(9, 3.2), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(2, 1))
INKS = ("#0072b2", "#d55e00", "#009e73", "#882255", "#444444")
for (name, sizes), ink in zip(fields.items(), INKS, strict=False):
    left.plot(range(1, 8), sizes, marker="o", color=ink, label=name)
left.set(xlabel="convolutions", ylabel="pixels a side", yscale="log", title="receptive field")
left.legend(fontsize=8)
shown = right.imshow(weighing, cmap="viridis", vmin=0)
right.set(xticks=[], yticks=[], title=f"three of 3 × 3\n7 × 7 · 0..{weighing.max():.2f}")
figure.colorbar(shown, ax=right)
says = f"Depth adds, strides and dilation multiply. With equal weights, 9 of 49 pixels make {middle:.0%} of the sum."
lesson.show(figure, "fields", says)
# %% [markdown]
# ## When the picture moves
#
# *Equivariance*: when the picture moves, the map moves with it. Convolution has it by design, for a kernel treats every
# place alike. A stride keeps it only for moves by whole strides. *Invariance*: the map stays as it was. Pooling brings
# a little of it, global pooling all of it. Here the picture moves to the right and enters again on the left, and every
# cell is compared.
# %%
moving = grey[: grey.shape[0] // 16 * 16, : grey.shape[1] // 16 * 16]
moves = range(1, 9)


def table(heading, lines):
    """Print a share for every layer and every move."""
    print(f"{heading:<40}" + "".join(f"{move:6}" for move in moves))
    for name, shares in lines.items():
        print(f"{name:<40}" + "".join(f"{share:6.0%}" for share in shares))


def edges(image):
    """Changes to the right, beyond the border continued from the other side."""
    return np.maximum(striate.convolve(image, striate.kernels.sobel_x, padding="same", border="circular"), 0)


LAYERS = {
    "convolution": edges,
    "convolution, max pooling 2": lambda x: striate.pool(edges(x), "max", 2),
    "convolution, max pooling 4": lambda x: striate.pool(edges(x), "max", 4),
    "convolution, max pooling 8": lambda x: striate.pool(edges(x), "max", 8),
    "convolution, global average": lambda x: striate.pool(edges(x), "global average").reshape(1, 1),
}
followed = {
    name: [striate.equivariance(layer, moving, (0, move)).equal for move in moves]
    for name, layer in list(LAYERS.items())[:-1]
}
table("cells that move along, by pixels moved", followed)


# %% [markdown]
# Invariance is a matter of degree. Equal to the last digit is too much to ask of a cell, so the change is measured as
# well: the mean difference between the map before and after, as a share of the map's spread.
# %%
def changed(layer, move):
    """Mean absolute change of a layer's answer when the picture moves, against the change from cell to cell."""
    before, after = layer(moving), layer(np.roll(moving, move, axis=1))
    shuffled = np.random.default_rng(0).permutation(before.ravel()).reshape(before.shape)
    return np.abs(after - before).mean() / (np.abs(shuffled - before).mean() or 1)


stayed = {
    name: [striate.invariance(layer, moving, (0, by)).equal for by in moves] for name, layer in LAYERS.items()
}
change = {name: [changed(layer, move) for move in moves] for name, layer in LAYERS.items()}
table("cells equal as they were", stayed)
table("mean change, of that between any cells", change)
# %%
figure = Figure(figsize=(9, 3.8), layout="constrained")
left, right = figure.subplots(1, 2)
inks = dict(zip(LAYERS, INKS, strict=True))
for axes, lines in ((left, followed), (right, change)):
    for name, shares in lines.items():
        axes.plot(moves, shares, marker="o", color=inks[name], label=name)
    axes.set(xlabel="pixels moved", xticks=list(moves))
left.set_title("equivariance: share of cells that move along", fontsize=10)
right.set_title("mean change of the answer, 1 as of any two cells", fontsize=10)
figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
one = {name: shares[0] for name, shares in change.items()}
says = (
    f"Convolution follows every move, pooling whole strides only. A move by one pixel changes the maps by "
    f"{one['convolution']:.0%} without pooling and by {one['convolution, max pooling 8']:.0%} with windows of 8."
)
lesson.show(figure, "moves", says)
# %% [markdown]
# ## Sparse connections, shared weights
#
# A dense layer joins every output to every pixel. A convolution saves twice. Its connections are *sparse*: a cell sees
# one window. And its weights are *shared*: all cells of a map have the same. To part the two, the table has a layer in
# between, which sees windows but shares nothing. These three have the same outputs: 8 maps under windows of 3 × 3. A
# dense layer of only 100 units stands above them.
# %%
print(f"{'image':<16}{'layer':<22}{'connections':>24}{'parameters':>24}")
for shape in ((28, 28), (400, 400, 3), (1000, 1000, 3)):
    convolution = striate.count_convolution(shape, filters=8, window=3)
    full = striate.count_dense(shape, convolution.outputs)
    few = striate.count_dense(shape, 100)
    counts = {
        "dense, 100 units": (few.connections, few.parameters),
        "dense": (full.connections, full.parameters),
        "windows, not shared": (convolution.connections, convolution.connections + convolution.outputs),
        "convolution": (convolution.connections, convolution.parameters),
    }
    for name, (connections, parameters) in counts.items():
        print(f"{' × '.join(map(str, shape)):<16}{name:<22}{connections:24,}{parameters:24,}")
# %% [markdown]
# The convolution's parameters do not depend on the size of the image. What it costs is the assumption that a pattern
# means the same everywhere in the picture, which is the equivariance measured above.
#
# ## Exercises
#
# 1. Leave the padding out of LeNet-5's first layer. Which sizes leave the layers for 28 × 28 pixels, and which size of
#    image does the last convolution need to end in one cell? Work backwards with `input_sizes`.
# 2. How many layers of 3 × 3 does a cell need to see all of a 32 × 32 picture, without pooling, and with pooling by 2
#    after every convolution?
# 3. Average pooling by 2 is a convolution. With which kernel and stride? Check it on the picture.
# %% tags=["hide-cell"]
# Solution 1
sizes, cells = [28], (1, 1)
for window, stride in ((5, 1), (2, 2), (5, 1), (2, 2)):
    sizes.append(striate.output_size(sizes[-1], window, stride))
for window, stride in ((5, 1), (2, 2), (5, 1), (2, 2), (5, 1)):
    cells = (
        striate.input_sizes(cells[0], window, stride)[0],
        striate.input_sizes(cells[1], window, stride)[1],
    )
print(f"28 pixels: {' → '.join(map(str, sizes))} cells, fewer than the window of 5 that comes next")
print(f"one cell at the end needs {cells[0]} to {cells[1]} pixels")
assert sizes[-1] < 5 <= 32 <= cells[1]
# %% tags=["hide-cell"]
# Solution 2
for name in ("3 × 3", "3 × 3, pooling by 2"):
    stack = [(3,)] if name == "3 × 3" else [(3,), (2, 2)]
    layers = next(depth for depth in range(1, 40) if striate.receptive_field(stack * depth).size >= 32)
    print(f"{name}: {layers} convolutions, which see {striate.receptive_field(stack * layers).size} pixels")
# %% tags=["hide-cell"]
# Solution 3
box = np.full((2, 2), 1 / 4)
assert np.allclose(striate.convolve(grey, box, stride=2), striate.pool(grey, "average", 2))
print(
    "a kernel of four quarters in steps of 2; max pooling is none: the maximum of a sum is not the sum of the maxima"
)
