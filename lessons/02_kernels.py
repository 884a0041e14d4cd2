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
# # 2. Kernels and convolution
#
# You will work a convolution by hand, first along a line of days in a hospital and then over a picture; see what
# stride, padding and colour do to it; put the named kernels to work on a picture; and find out why networks need not
# flip their kernels, by letting gradient descent learn one both ways. Some seconds on 2 cores in both forms. Needs:
# nothing but striate.
# %%
import numpy as np
from matplotlib.figure import Figure
from opening import open_lesson

import striate

lesson = open_lesson("02_kernels")
photo = striate.working_copy(lesson.picture(), 240).pixels
print(f"picture: {photo.shape}, {photo.dtype}")
# %% [markdown]
# ## One dimension: a hospital
#
# A treatment takes three days: 3 doses on the day of arrival, 2 on the next, 1 on the third. On Monday one patient
# arrives, then two, three, four, five. How many doses does the hospital need each day? Write a line for the patients
# of each day, every line begun a day later, and add up the columns.
# %%
plan, patients = [3, 2, 1], [1, 2, 3, 4, 5]
days = len(patients) + len(plan) - 1
given = np.zeros((len(patients), days), int)
for day, count in enumerate(patients):
    given[day, day : day + len(plan)] = count * np.array(plan)
print("day           " + "".join(f"{day:5}" for day in range(1, days + 1)))
for day, line in enumerate(given):
    print(f"{patients[day]} from day {day + 1:<3}" + "".join(f"{doses or '':>5}" for doses in line))
print("all doses     " + "".join(f"{doses:5}" for doses in given.sum(axis=0)))
# %%
figure = Figure(figsize=(9, 2.8), layout="constrained")
axes = figure.subplots()
for day, line in enumerate(given):
    ink = ("#0072b2", "#d55e00", "#009e73", "#882255", "#8a6d00")[day]
    axes.bar(
        range(1, days + 1), line, bottom=given[:day].sum(axis=0), color=ink, label=f"came on day {day + 1}"
    )
axes.set(xlabel="day", ylabel="doses", title=f"plan {plan}, patients {patients}: {given.sum()} doses in all")
axes.legend(fontsize=8)
busiest = int(given.sum(axis=0).argmax()) + 1
lesson.show(figure, "hospital", f"Doses a day, by when their patients came; day {busiest} needs most.")
# %% [markdown]
# Now the same by columns. On day 4 the patients who came *today* get the first dose of the plan, those of yesterday
# the second, those of the day before the third. The plan looks back. Laid under the patients in the order of days, it
# therefore stands the other way round: **flipped**. Slide the flipped plan along, multiply what stands above each
# other, add. That is a convolution.
# %%
row = [0, 0, *patients, 0, 0]
print("patients, and nobody before and after:  ", row)
for day in range(days):
    under = [" "] * day + [str(dose) for dose in plan[::-1]] + [" "] * (days - 1 - day)
    seen = row[day : day + 3]
    work = " + ".join(f"{one}·{dose}" for one, dose in zip(seen, plan[::-1], strict=True))
    print(f"  {'  '.join(under):<28}day {day + 1}: {work} = {np.dot(seen, plan[::-1])}")
options = {"padding": "full", "indexing": "convolution"}
doses = striate.convolve(patients, plan, **options)
print("convolve:", doses.tolist(), "equal:", np.array_equal(doses, given.sum(axis=0)))
# %% [markdown]
# `step_text` writes one cell as it is worked on the board. And a convolution does not mind which of its two is called
# the kernel: patients over the plan give the same. The sliding without a flip, the **cross-correlation**, does mind.
# %%
print(striate.step_text(striate.work_step(patients, plan, (3,), **options)))
print("\nplan over patients:", striate.convolve(plan, patients, **options).tolist())
for one, other in ((patients, plan), (plan, patients)):
    print("without a flip:    ", striate.convolve(one, other, padding="full").tolist())
# %% [markdown]
# ## Two dimensions
#
# A kernel slides over a picture along both axes. At each place: window times kernel, number by number, all products
# added into one. `sobel_x` below takes what lies right of the middle less what lies left of it, so it answers where the
# picture grows brighter to the right. From here on nothing is flipped, which is `convolve`'s default and what networks
# do; the last section comes back to that.
# %%
board = np.array([[10, 10, 10, 80, 80, 80]] * 3 + [[10, 10, 10, 10, 10, 10]] * 3)
sobel = striate.kernels.sobel_x
print(striate.step_text(striate.work_step(board, sobel, (2, 1))))
by_hand = np.zeros((4, 4), int)
for y, x in np.ndindex(4, 4):
    by_hand[y, x] = (board[y : y + 3, x : x + 3] * sobel).sum()
print(f"\nthe loop:\n{by_hand}\nequal to convolve: {np.array_equal(by_hand, striate.convolve(board, sobel))}")
figure = striate.show_convolution(board, sobel, at=(2, 1))
lesson.show(
    figure, "step", f"One cell: window times kernel, added up, is {by_hand[2, 1]}; large at the upright edge."
)
# %% [markdown]
# ## Stride and padding
#
# *Valid* keeps the kernel inside the picture, and the result is smaller. *Same* adds a border so that the size stays.
# *Full* lets every weight meet every pixel, as in the hospital. *Stride* s keeps every s-th cell. One formula has it
# all: ⌊(n − f + 2p) / s⌋ + 1 cells of n pixels under a window of f with p pixels of padding at both ends. For an even
# window *same* needs one pixel more at one end than at the other.
# %%
print(f"{'pixels':>6} {'window':>6} {'stride':>6}   valid  same  full")
for pixels, window, stride in (
    (6, 3, 1),
    (6, 3, 2),
    (7, 3, 2),
    (28, 5, 1),
    (28, 5, 2),
    (224, 7, 2),
    (400, 3, 1),
):
    pads = {"valid": 0, "same": window // 2, "full": window - 1}
    cells = [striate.output_size(pixels, window, stride, pad) for pad in pads.values()]
    shapes = [
        striate.convolve(np.ones(pixels), np.ones(window), stride=stride, padding=pad).size for pad in pads
    ]
    assert cells == shapes
    print(f"{pixels:6} {window:6} {stride:6}   " + "".join(f"{count:5} " for count in cells))
print("every size was checked on an array; same for a window of 4:", striate.same_padding_ends(4))
figure = striate.show_convolution(board, sobel, at=(0, 1), stride=2, padding=1)
lesson.show(
    figure,
    "stride",
    "Stride 2 with one pixel of padding: neighbouring cells look at windows two pixels apart.",
)
# %% [markdown]
# Padding is made up, and the border shows it. A mean over a picture of one grey needs to change nothing; with zeros
# beyond the border it darkens the rim.
# %%
flat = np.full((6, 6), 90.0)
for border in ("zero", "edge", "reflect", "circular"):
    mean = striate.convolve(flat, striate.kernels.smooth, padding="same", border=border)
    print(f"{border:<9} corner {mean[0, 0]:5.1f}   edge {mean[0, 3]:5.1f}   middle {mean[3, 3]:5.1f}")
# %% [markdown]
# ## Colour, and several filters
#
# A kernel `height width` serves each channel alone: three maps from a colour picture. A kernel `height width channel`
# has weights for each channel and adds all of it into *one* map. This is what a layer of a network does: its kernels
# reach through all channels. Several kernels together, a *bank*, give one map each, and these maps are the channels of
# the next layer's input.
# %%
warm = np.stack([striate.kernels.smooth, 0 * striate.kernels.smooth, -striate.kernels.smooth], axis=2)
upright = np.stack([sobel / 3] * 3, axis=2)
level = np.stack([striate.kernels.sobel_y / 3] * 3, axis=2)
print(
    "kernel 3 × 3 alone:",
    striate.convolve(photo, sobel).shape,
    " with channels:",
    striate.convolve(photo, warm).shape,
)
bank = np.stack([warm, upright, level])
maps = striate.convolve(photo, bank, padding="same", border="edge")
print(f"bank {bank.shape} on {photo.shape} gives {maps.shape}")
height, width = photo.shape[:2]
print(striate.step_text(striate.work_step(photo, np.round(warm * 9).astype(int), (height // 2, width // 2))))


# %%
def signed(maps, titles, *, numbers=False, limit=None):
    """Maps side by side in blue, white and red, zero white; with `numbers` in the cells of small ones."""
    tall = maps[0].shape[0] / maps[0].shape[1]
    figure = Figure(figsize=(9, 9 / len(maps) * tall + 0.7), layout="constrained")
    for axes, one, title in zip(figure.subplots(1, len(maps)), maps, titles, strict=True):
        ends = limit or np.percentile(np.abs(one), 99) or 1
        axes.imshow(one, cmap="RdBu_r", vmin=-ends, vmax=ends, interpolation="nearest")
        axes.set_title(
            f"{title}\n{one.shape[0]} × {one.shape[1]} · {one.min():.4g}..{one.max():.4g}", fontsize=9
        )
        axes.set(xticks=[], yticks=[])
        for (y, x), value in np.ndenumerate(one if numbers else np.zeros((0, 0))):
            ink = "white" if abs(value) > 0.7 * ends else "black"
            axes.text(
                x, y, f"{round(float(value), 3) + 0:g}", ha="center", va="center", fontsize=9, color=ink
            )
    return figure


figure = signed(
    [*np.moveaxis(maps, 2, 0)], ["red less blue, smoothed", "change to the right", "change downwards"]
)
lesson.show(
    figure, "bank", "Three filters on one picture: three maps. Blue is negative, white zero, red positive."
)
# %% [markdown]
# ## The kernels everyone knows
#
# The sum of the weights says what kind a kernel is. Sum 0: flat parts become zero, changes remain (Sobel, Prewitt,
# Roberts, Laplacian, outline). Sum 1: the brightness stays, detail is taken away (blur, smoothing) or added (sharpen).
# %%
names = ["sobel_x", "sobel_y", "prewitt_x", "prewitt_y", "roberts_x", "roberts_y", "laplacian_4"]
names += ["outline", "blur", "smooth", "sharpen"]
for name in names:
    named = striate.kernels.NAMED[name]
    print(f"{name:<12} sum {named.weights.sum():3.0f}   {named.summary}")
kernels = {name: striate.kernels.NAMED[name].weights for name in names}
results = {
    name: (weights, striate.convolve(photo, weights, padding="same", border="edge"))
    for name, weights in kernels.items()
}
says = f"The picture and {len(names)} kernels on it: signed results in blue and red, the others in colour."
sheet = striate.filter_sheet(photo, results, columns=3, scale=1)
lesson.show(
    sheet,
    "sheet",
    says,
)
# %% [markdown]
# ## Three ways to index, and why networks do not flip
#
# One bright pixel on black ground shows what a sliding does to its kernel. A *convolution* draws the kernel as it is; a
# *cross-correlation* draws it turned by half a circle; *centred* is the convolution named after the middle of
# its window, as signal processing writes it. With `padding="same"` the last two show the same map.
# %%
impulse = np.zeros((5, 5), int)
impulse[2, 2] = 1
kernel = np.arange(1, 10).reshape(3, 3)
ways = ("cross-correlation", "convolution", "centred")
drawn = [striate.convolve(impulse, kernel, padding="same", indexing=way) for way in ways]
figure = signed([kernel, *drawn], ["kernel", *ways], numbers=True, limit=9)
lesson.show(
    figure,
    "indexing",
    "A single bright pixel: convolution draws the kernel, cross-correlation its mirror image.",
)
grey = striate.to_grey(photo)
one = striate.convolve(grey, kernel, indexing="convolution")
print(
    "convolution is cross-correlation with the kernel turned:",
    np.allclose(one, striate.convolve(grey, kernel[::-1, ::-1])),
)
# %% [markdown]
# A network is not given its kernels. It learns them, from what should come out. So take a picture and what a hidden
# kernel makes of it, and let gradient descent find the kernel: once sliding it as it is, once flipping it. The
# gradient of the squared error for weight (a, b) adds up, over all cells, the error times the pixel which that weight
# met. That sum is itself a cross-correlation, of the picture with the error. The picture is noise, in which
# neighbouring pixels tell nothing of each other, so that all nine weights are learnt equally fast.
# %%
noise = np.random.default_rng(0).normal(size=(48, 48))
hidden = np.array([[3.0, 1.0, 0.0], [1.0, 0.0, -1.0], [0.0, -2.0, -2.0]])
wanted = striate.convolve(noise, hidden, indexing="convolution")


def learn(image, wanted, indexing, *, steps, rate):
    """A 3 × 3 kernel from zeros by gradient descent on the mean squared error, and the error before each step."""
    kernel, errors = np.zeros((3, 3)), []
    for _ in range(steps):
        error = striate.convolve(image, kernel, indexing=indexing) - wanted
        errors.append(np.mean(error**2))
        slope = 2 * striate.convolve(image, error) / error.size
        kernel -= rate * (slope if indexing == "cross-correlation" else slope[::-1, ::-1])
    return kernel, errors


# %%
slid, slid_errors = learn(noise, wanted, "cross-correlation", steps=60, rate=0.2)
flipped, flipped_errors = learn(noise, wanted, "convolution", steps=60, rate=0.2)
print("step   error, not flipped   error, flipped")
for step in (0, 5, 10, 20, 40, 59):
    print(f"{step:4}   {slid_errors[step]:18.12f}   {flipped_errors[step]:14.12f}")
print(f"largest difference between one and the other turned: {np.abs(slid - flipped[::-1, ::-1]).max():.1e}")
figure = signed(
    [hidden, flipped, slid, slid[::-1, ::-1]],
    ["hidden", "learnt with a flip", "learnt without a flip", "the same, turned"],
    numbers=True,
    limit=3,
)
says = "Without a flip the mirror image is learnt; turned by half a circle it is the hidden kernel."
lesson.show(figure, "learnt", says)
# %% [markdown]
# Both come to the same error step by step. What is learnt without a flip is the mirror image, and it computes the same
# numbers. Flipping would be a step more and change nothing, so networks leave it out and call the result convolution.
# It matters where a kernel is *given*: a Sobel kernel that is flipped changes its sign.
#
# ## Exercises
#
# 1. Which 3 × 3 kernel moves a picture by one pixel to the right, and which to the left? Check on the board.
# 2. Blurring twice can be done by one larger kernel. Which one, of what size? Check it on the picture.
# 3. Let `learn` find the hidden kernel on the picture instead of the noise, in as many steps, at a rate of 0.05. How
#    far off is it, against the noise? What do neighbouring pixels have to do with it?
# %% tags=["hide-cell"]
# Solution 1
right, left = np.zeros((3, 3), int), np.zeros((3, 3), int)
right[1, 0] = left[1, 2] = 1
assert np.array_equal(striate.convolve(board, right, padding="same")[:, 1:], board[:, :-1])
assert np.array_equal(striate.convolve(board, left, padding="same")[:, :-1], board[:, 1:])
print(f"Not flipped, the one stands on the side from which the pixel comes:\n{right}")
# %% tags=["hide-cell"]
# Solution 2
blur = striate.kernels.blur
twice = striate.convolve(blur, blur, padding="full", indexing="convolution")
once = striate.convolve(grey, twice)
again = striate.convolve(striate.convolve(grey, blur), blur)
print(f"{twice.shape[0]} × {twice.shape[1]}, in 256ths:\n{np.rint(twice * 256).astype(int)}")
print(f"largest difference on the picture: {np.abs(once - again).max():.1e}")
assert np.allclose(once, again)
# %% tags=["hide-cell"]
# Solution 3
even = (grey - grey.mean()) / max(grey.std(), 1)
goal = striate.convolve(even, hidden)
found, errors = learn(even, goal, "cross-correlation", steps=60, rate=0.05)
near = np.corrcoef(even[:, :-1].ravel(), even[:, 1:].ravel())[0, 1]
print(
    f"furthest weight off: noise by {np.abs(flipped - hidden).max():.4f}, picture by {np.abs(found - hidden).max():.4f}"
)
print(f"correlation of neighbouring pixels: noise 0 by design, picture {near:.2f}")
print(
    "Where neighbours are alike, two weights side by side can stand in for each other: the error hardly says which."
)
