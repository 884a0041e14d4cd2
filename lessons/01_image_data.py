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
# # 1. Working with image data
#
# You will see what a picture is to a program: an array with a height, a width, channels and a depth. You will take
# pixels and grey levels away and count the bytes that this saves, look at each channel alone, make grey of colour,
# put pictures into a batch, write labels as rows with a single one, and measure what 8 bits lose of a 16-bit picture.
# Some seconds on 2 cores, and longer the first time MNIST is read; `--short` about 5 seconds. Needs: nothing but
# striate; MNIST when at hand.
# %%
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from opening import open_lesson

import striate

lesson = open_lesson("01_image_data")
photo = lesson.picture()


# %%
def panels(pictures, titles, *, columns=3):
    """Pictures side by side, each with its title; grey ones from 0, black, to 255, white."""
    rows = -(-len(pictures) // columns)
    tall = pictures[0].shape[0] / pictures[0].shape[1]
    figure = Figure(figsize=(9, rows * (9 / columns * tall + 0.6)), layout="constrained")
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True), start=1):
        axes = figure.add_subplot(rows, columns, number, xticks=[], yticks=[])
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title, fontsize=10)
    return figure


def said(array):
    """The shape and the range of an array."""
    return f"{' × '.join(map(str, array.shape))} · {array.min()}..{array.max()}"


# %% [markdown]
# ## A picture is an array
#
# `striate.read_image(path)` gives every picture as an array with three axes: height, width, channel. The depth is the
# type of its numbers. `uint8` is a whole number of 8 bits: 256 levels, from 0 (no light) to 255 (full).
# %%
height, width, channels = photo.shape
print(f"shape {photo.shape}: {height} rows, {width} columns, {channels} channels")
print(f"type {photo.dtype}: {np.iinfo(photo.dtype).bits} bits, 0..{np.iinfo(photo.dtype).max}")
print(f"{photo.size:,} numbers from {photo.min()} to {photo.max()}, mean {photo.mean():.1f}")
print(f"uncompressed: {striate.storage_bytes(height, width, channels):,} bytes")
# %% [markdown]
# The first index is the row, counted downwards from the top; the second is the column, counted to the right. This is
# the order of matrices, not that of (x, y) coordinates. Whoever confuses the two reads another pixel without an error.
# %%
row, column = height // 3, width // 2
print(f"row {row}, column {column}: red, green, blue = {photo[row, column].tolist()}")
if column < height and row < width:
    print(f"row {column}, column {row}: red, green, blue = {photo[column, row].tolist()}")
part = photo[row : row + 8, column : column + 8]
# %%
figure = Figure(figsize=(9, 4), layout="constrained")
left, right = figure.subplots(1, 2)
left.imshow(photo)
for ink, line in (("white", 5), ("black", 2)):
    left.add_patch(Rectangle((column - 0.5, row - 0.5), 8, 8, fill=False, edgecolor=ink, linewidth=line))
left.set_title(f"picture: {said(photo)}", fontsize=10)
right.imshow(part[..., 0], cmap="gray", vmin=0, vmax=255)
for (down, across), value in np.ndenumerate(part[..., 0]):
    ink = "white" if value < 128 else "black"
    right.text(across, down, value, ha="center", va="center", color=ink, fontsize=9)
right.set_title(f"red channel in the frame: {said(part[..., 0])}", fontsize=10)
lesson.show(figure, "pixels", "The frame on the left is the table of numbers on the right, one cell a pixel.")
# %% [markdown]
# ## Sampling and quantisation
#
# A camera makes two choices. *Sampling* decides how many points it measures; *quantisation* decides in how many
# levels it tells each measurement. `striate.sample` keeps every n-th pixel of every n-th row. `striate.quantise` keeps
# the points and tells each by the middle of its level. A pixel of 16 levels needs log₂ 16 = 4 bits.
# %%
steps = [step for step in (1, 2, 4, 8, 16, 32) if min(height, width) // step >= 4]
counts = (256, 16, 8, 4, 2)
print("bytes      " + "".join(f"{f'{count} levels':>14}" for count in counts))
for step in steps:
    small = striate.sample(photo, step)
    sizes = [striate.storage_bytes(*small.shape, bits=int(np.log2(count))) for count in counts]
    written = "".join(f"{size:14,}" for size in sizes)
    print(f"step {step:<6}{written}   {small.shape[0]} × {small.shape[1]}")
# %%
grey = np.rint(striate.to_grey(photo)).astype(np.uint8)
fewer = [striate.sample(grey, step) for step in steps[::2]]
titles = [
    f"step {step}: {said(one)}\n{one.size:,} bytes" for step, one in zip(steps[::2], fewer, strict=True)
]
says = f"From {fewer[0].size:,} pixels to {fewer[-1].size:,}: fine structure goes first."
lesson.show(panels(fewer, titles), "sampling", says)
bits = {16: 4, 4: 2, 2: 1}
coarse = {count: striate.quantise(grey, count) for count in bits}
sizes = [striate.storage_bytes(*one.shape, bits=bits[count]) for count, one in coarse.items()]
titles = [
    f"{count} levels: {said(one)}\n{size:,} bytes"
    for (count, one), size in zip(coarse.items(), sizes, strict=True)
]
says = "Fewer levels: smooth parts break into bands, while strong outlines stay where they are."
lesson.show(panels([*coarse.values()], titles), "levels", says)
# %% [markdown]
# How far off is a quantised pixel? At most half a level's width, so each bit taken away doubles the largest error.
# %%
for count in (128, 64, 32, 16, 8, 4, 2):
    error = np.abs(striate.quantise(photo, count).astype(int) - photo)
    print(f"{count:4} levels: mean error {error.mean():6.2f}, largest {error.max()}")
# %% [markdown]
# ## Histograms
#
# A histogram counts how many pixels have each level. It forgets where they are, and so it shows at a glance what the
# picture hides: how much of the range is used, which channel is brightest, and whether many pixels are held at 0 or
# 255, where the camera could tell no further. The scale is logarithmic, so that one full level does not flatten the
# others.
# %%
figure = Figure(figsize=(9, 2.8), layout="constrained")
axes = figure.subplots(1, 3, sharey=True)
inks = {"red": "#c1121f", "green": "#2a7f3f", "blue": "#0072b2"}
planes = dict(zip(inks, striate.split_channels(photo), strict=True))
for one, (name, plane) in zip(axes, planes.items(), strict=True):
    one.bar(np.arange(256), np.bincount(plane.ravel(), minlength=256), width=1, color=inks[name], log=True)
    one.set_title(f"{name}: mean {plane.mean():.0f}, {plane.min()}..{plane.max()}", fontsize=10)
    one.set_xlabel("level")
    print(f"{name:<6} at 0: {(plane == 0).mean():6.2%}   at 255: {(plane == 255).mean():6.2%}")
axes[0].set_ylabel("pixels")
brightest = max(planes, key=lambda name: planes[name].mean())
says = f"How many pixels have each level, channel by channel; {brightest} has the highest mean."
lesson.show(figure, "histograms", says)
# %% [markdown]
# ## Channels: split, merge, swap
#
# A colour picture is three grey ones on top of each other. Split and merged in the same order they give the same
# picture. Nothing in the array says which channel is red: the order is a convention, and OpenCV, for one, reads blue
# first. Whoever mixes both conventions gets a picture that is wrong without an error. A network trained on the one
# and asked about the other is then shown colours that it never met.
# %%
red, green, blue = planes.values()
print("merged again equals the picture:", np.array_equal(striate.merge_channels(red, green, blue), photo))
swapped = striate.merge_channels(blue, green, red)
print("blue, green, red is the last axis reversed:", np.array_equal(swapped, photo[..., ::-1]))
pictures = {
    f"red, green, blue\n{said(photo)}": photo,
    f"blue, green, red\n{said(swapped)}": swapped,
    f"green, red, blue\n{said(swapped)}": striate.merge_channels(green, red, blue),
    **{f"{name} alone\n{said(plane)}": plane for name, plane in planes.items()},
}
says = "The same three planes in three orders, and each plane alone: colour is in the order."
lesson.show(panels([*pictures.values()], [*pictures]), "channels", says)
# %% [markdown]
# ## Grey, by different weights
#
# Grey is a weighted sum of red, green and blue. The eye is most sensitive to green, so green weighs most in the
# weights of television: `bt601` (standard definition, and JPEG) and `bt709` (high definition). The plain mean treats
# all three alike.
# %%
pure = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 255, 255]]], np.uint8)
print(f"{'weights':<10}" + "".join(f"{name:>9}" for name in ("red", "green", "blue", "yellow", "white")))
greys = {}
for name in ("bt601", "bt709", "mean"):
    greys[name] = striate.to_grey(photo, name)
    print(f"{name:<10}" + "".join(f"{value:9.1f}" for value in striate.to_grey(pure, name)[0]))
difference = greys["mean"] - greys["bt709"]
# %%
limit = max(np.abs(difference).max(), 1)
titles = [f"{name}\n{one.min():.0f}..{one.max():.0f}" for name, one in greys.items()]
titles.append(f"mean less bt709\nblue -{limit:.0f}, white 0, red {limit:.0f}")
figure = panels([*greys.values(), difference], titles, columns=4)
figure.axes[3].images[0].set(cmap="RdBu_r", clim=(-limit, limit))
says = f"Three greys of one picture; mean and bt709 differ by up to {limit:.0f} levels in a pixel."
lesson.show(figure, "grey", says)
# %% [markdown]
# ## Batches: four dimensions
#
# A network is fed several pictures of one size at once: batch, height, width, channel. Torch wants the channel before
# height and width (*channels first*); numpy, files and screens have it last. `transpose` moves an axis. `reshape` to
# the same shape does not: it keeps the numbers in their order and cuts the row of them at other places.
# %%
side = min(height, width) // 2
crops = [photo[y : y + side, x : x + side] for y in (0, height - side) for x in (0, width - side)]
batch = striate.stack_images(crops)
first = batch.transpose(0, 3, 1, 2)
wrong = batch.reshape(first.shape)
print(f"channels last {batch.shape}, channels first {first.shape}, {batch.nbytes:,} bytes in both")
print(
    "picture 0, row 0, column 1, red:",
    batch[0, 0, 1, 0],
    first[0, 0, 0, 1],
    "and reshaped",
    wrong[0, 0, 0, 1],
)
print("in memory, channels last: ", batch[0].ravel()[:9], "(red, green, blue of one pixel, then the next)")
print("in memory, channels first:", first[0].ravel()[:9], "(a row of red)")
figure = panels(
    [batch[0], first[0].transpose(1, 2, 0), wrong[0].transpose(1, 2, 0)],
    [
        f"{word}: {said(one[0])}"
        for word, one in (("last", batch), ("transposed", first), ("reshaped", wrong))
    ],
)
says = "Transposing keeps the picture; reshaping to the same shape scrambles it, without an error."
lesson.show(figure, "batch", says)
# %% [markdown]
# ## Labels as rows with a single one
#
# A class number is a name, not a quantity: class 8 is not twice class 4. A row with a single one says the same without
# an order, and every two classes are equally far apart. It is also what a network should answer with: a probability of
# one for the class, zero for all others.
# %%
try:
    images = striate.load_images(lesson.images("mnist", "digits"))
except striate.SourceError:
    print("One picture alone has no classes: the digits that come with striate stand in for a data set.")
    images = striate.load_images("digits")
chosen = np.linspace(0, len(images) - 1, 5).astype(int)
rows = striate.one_hot(images.labels[chosen], classes=len(images.classes))
for label, row in zip(images.labels[chosen], rows, strict=True):
    print(f"{images.classes[label]:<14} number {label:<4}", "".join("1" if one else "." for one in row[:60]))
print("back again:", np.array_equal(rows.argmax(axis=1), images.labels[chosen]))
apart = np.linalg.norm(np.eye(len(images.classes))[0] - np.eye(len(images.classes))[1:], axis=1)
print(f"distance of the first class from each other one: {apart.min():.4f} to {apart.max():.4f}")
# %% [markdown]
# ## What a data set takes
#
# Count before you load. The product of images, height, width, channels and bytes a number says whether a data set fits
# into memory, and 32-bit floating point, in which networks reckon, takes four times what 8 bits take. This is why
# `striate` keeps the packed pictures in their own depth and turns one batch at a time into floating point.
# %%
images, preparation, pack = images.packed()
count, tall, wide, depth = pack.pixels.shape
print(f"{'data set':<30}{'images':>10}{'one image':>14}{'all, 8 bits':>20}{'all, float32':>20}")
for name, number, shape in (
    (f"these, {tall} × {wide} × {depth}", count, (tall, wide, depth)),
    ("MNIST's, 28 × 28 × 1", 70_000, (28, 28, 1)),
    ("CIFAR-10's, 32 × 32 × 3", 60_000, (32, 32, 3)),
    ("a thousand of 1000 × 1000 × 3", 1_000, (1000, 1000, 3)),
    ("ImageNet's, 224 × 224 × 3", 1_281_167, (224, 224, 3)),
):
    each = striate.storage_bytes(*shape)
    print(f"{name:<30}{number:10,}{each:14,}{number * each:20,}{number * each * 4:20,}")
# %% [markdown]
# ## Sixteen bits
#
# X-ray detectors, microscopes and cameras of measuring rooms tell 1,024 to 65,536 levels. What matters may lie within
# a few hundred of them. Here such a picture is made: a slow ramp, and on it a disc that is 60 levels of 65,536
# brighter. It is written as a 16-bit PNG, read again, and compared with what 8 bits leave of it.
# %%
rows, columns = np.mgrid[0:120, 0:160]
made = 20_000 + 6 * columns + np.where(np.hypot(rows - 60, columns - 80) < 30, 60, 0)
folder = lesson.folder("sixteen")
folder.mkdir()
print(striate.write_filtered(folder / "made.png", *[made.astype(np.uint16)[..., None]] * 2))
deep = striate.read_image(folder / "made.png")
flat = (deep >> 8).astype(np.uint8)
print(f"read again: {deep.dtype}, equal to what was made: {np.array_equal(deep[..., 0], made)}")
print(f"levels in use: {len(np.unique(deep))} of 65,536 in 16 bits, {len(np.unique(flat))} of 256 in 8 bits")
# %% [markdown]
# A screen shows 256 levels at most, so a *window* is chosen: a lowest and a highest value, which become black and
# white. Windowed from 16 bits the disc is there. Windowed from 8 bits there are only the few levels that were left.
# %%
windowed = np.rint((deep - deep.min()) / (deep.max() - deep.min()) * 255)
late = np.rint((flat - flat.min()) / max(flat.max() - flat.min(), 1) * 255)
titles = [
    f"8 bits, as they are\n{said(flat)}",
    f"16 bits, window {deep.min():,}..{deep.max():,}\n{len(np.unique(windowed))} levels",
    f"8 bits, same window\n{len(np.unique(late))} levels",
]
says = "From 16 bits the disc is seen; 8 bits leave steps, and the disc only as a dent in one of them."
lesson.show(panels([flat[..., 0], windowed[..., 0], late[..., 0]], titles), "sixteen", says)


# %%
def disc_found(picture):
    """Share of columns through the disc in which its middle row is brighter than the first row, which has no disc."""
    return float((picture[60, 52:108, 0].astype(int) > picture[0, 52:108, 0]).mean())


print(f"columns in which the disc can be told from its ground: {disc_found(deep):.0%} of 16 bits")
print(f"{'':<52}{disc_found(flat):.0%} of 8 bits")
# %% [markdown]
# ## Exercises
#
# 1. How many bytes does the picture take with every 4th pixel and 16 levels? Which share of the whole is that? Work it
#    out on paper first: two of the factors are 16 and 2.
# 2. A network was trained on pictures in the order blue, green, red. Turn the batch of this lesson, which has its
#    channels first, into that order without splitting it, and check one picture against `merge_channels`.
# 3. Choose the window of the 16-bit picture *before* going to 8 bits. How many levels are left, and in how many columns
#    can the disc be told from its ground? Compare with the two numbers above.
# %% tags=["hide-cell"]
# Solution 1
small = striate.sample(photo, 4)
size = striate.storage_bytes(*small.shape, bits=4)
share = size / striate.storage_bytes(*photo.shape)
print(
    f"{small.shape[0]} × {small.shape[1]} × {small.shape[2]} at 4 bits: {size:,} bytes, {share:.2%} of the whole"
)
print(
    f"by hand: 1 / (4 · 4 · 2) = {1 / 32:.2%}; the sides need not be multiples of 4, which is the difference"
)
# %% tags=["hide-cell"]
# Solution 2
turned = first[:, ::-1]
red, green, blue = striate.split_channels(crops[0])
assert np.array_equal(turned[0].transpose(1, 2, 0), striate.merge_channels(blue, green, red))
print(f"{first.shape} → {turned.shape}, the channel axis reversed")
# %% tags=["hide-cell"]
# Solution 3
ahead = windowed.astype(np.uint8)
print(f"window, then 8 bits: {len(np.unique(ahead))} levels, the disc in {disc_found(ahead):.0%} of columns")
print(f"8 bits, then window: {len(np.unique(late))} levels, the disc in {disc_found(late):.0%} of columns")
assert len(np.unique(ahead)) > len(np.unique(late))
