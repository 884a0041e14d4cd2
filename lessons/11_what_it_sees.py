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
# # 11. What the network sees
#
# You will train a small network and look into it from both ends: at its filters and maps, at the pictures that excite
# a channel most, and at maps that say which pixels gave a picture its class. Then you will put those maps to the test,
# beside a random map and the picture's own edges, to tell a good explanation from a pretty one. About 2 minutes on 2
# cores; `--short` about 15 seconds. Needs: nothing but striate; CIFAR-10 is used where it is at hand.
# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from drawn import draw_shapes
from opening import open_lesson

import striate

lesson = open_lesson("11_what_it_sees")
# %% [markdown]
# ## A network to look into
#
# `compact` is a small residual network with max pooling and ReLU. Where the lesson draws its own pictures, a painter
# makes one of each shape: with more, pictures by one hand would stand on both sides of the split.
# %%
source = lesson.images("cifar10", "shapes")
if Path(source).name == "shapes":
    source = lesson.folder("hands")
    draw_shapes(source, each=1, painters=lesson.pick(400, 130))
images, _, pack = striate.load_images(source).with_splits(seed=0).packed()
chance = np.random.default_rng(0)


def some(split: str, most: int) -> striate.Images:
    """At most so many images of a split, drawn at random."""
    part = images.of_split(split)
    return part.select(np.sort(chance.permutation(len(part))[:most]))


train, validation, test = (
    some("train", 10_000),
    some("validation", 1000),
    some("test", lesson.pick(1000, 200)),
)
recipe = striate.Recipe(model="compact", epochs=lesson.pick(5, 3), batch_size=lesson.pick(128, 32))
clf = striate.Classifier(recipe).fit(train, validation=validation)
right = clf.evaluate(test).accuracy
print(f"{len(train):,} training images of {len(images.classes)} classes")
print(f"test accuracy {right.value:.1%} ({right.low:.1%} to {right.high:.1%}, n = {right.n:,})")
# %% [markdown]
# An explanation explains the network, right or wrong. With a poor network a good method shows poor reasons.
#
# ## Filters
#
# The first layer reads pixels, so its kernels are pictures themselves. In colour, mid grey is 0; in the signed scale,
# white is. A filter much weaker than the others, counted as dead, does nothing.
# %%
written = striate.write_filters(clf, lesson.folder("filters"))
lesson.show(written, "filters", written.sentences[0])
# %% [markdown]
# ## Maps
#
# One picture on its way: beside it, stage by stage, the channels that it excites most. Early maps still look like the
# picture. Late ones say *whether* something is there more than where; each of their cells sees a large part of it.
# %%
network, preparation = clf.network_, clf.preparation_
pixels = [np.asarray(pack.pixels[row]) for row in test.rows]


def spread(most: int) -> np.ndarray:
    """Places of so many test images, evenly over the table, which has them class by class."""
    return np.linspace(0, len(test) - 1, most).astype(int)


written = striate.write_feature_maps(clf, pixels[0], lesson.folder("maps"))
lesson.show(written, "maps", f"Deepest stage: {written.sentences[0]}")
# %% [markdown]
# ## What excites a channel: the deconvnet
#
# A deep kernel cannot be read as a picture. So ask the other way round: of all test images, which nine excite a channel
# most, and what in them? Zeiler and Fergus send the strongest activation back through transposed kernels, rectifiers
# and the switches of the pooling, down to the pixels. The channels below are those of the first and the last stage
# whose strongest answer differs most from picture to picture.
# %%
inputs = torch.cat([striate.to_input(one[None], preparation) for one in pixels])
stages = [name for name in network.stage_names if name.startswith("stage")]
found = {}
network.eval()
for stage in (stages[0], stages[-1]):
    with torch.no_grad():
        answers = network.run_to(inputs, stage).amax(dim=(2, 3))
    channels = answers.std(dim=0).topk(2).indices.tolist()
    found[stage] = striate.strongest(network, [(torch.arange(len(inputs)), inputs)], stage, channels)
nine = striate.top_nine_figure(network, found, dict(enumerate(inputs)), dict(enumerate(pixels)))
picture = lesson.out / "channels.png"
picture.write_bytes(nine.png())
lesson.show(picture, "channels", f"What excites two channels of {stages[0]} and two of {stages[-1]} most.")
# %% [markdown]
# Look at the nine patches of a channel together. If they share something you can name, the projections should show
# that thing in all nine. If they do not, the channel has no name, and most channels have none.
#
# ## Why this answer
#
# Three ways to ask which pixels matter for a class. *Occlusion* covers a window and notes how much probability is lost:
# slow, and nothing to argue about. *Grad-CAM* weights the maps of the deepest stage by their mean gradient: one pass
# back, coarse. *Guided backpropagation* follows the gradient to the pixels and lets only positive values through each
# rectifier: sharp, and pleasing to the eye.
# %%
METHODS = ("gradcam", "occlusion", "guided_backpropagation")
figure, axes = plt.subplots(3, 5, figsize=(9, 6), constrained_layout=True)
for row, one in zip(axes, [pixels[place] for place in spread(3)], strict=True):
    reasons = [clf.explain(one, method=method) for method in METHODS]
    edges = striate.gradient_magnitude(striate.to_grey(one) if one.shape[2] == 3 else one[..., 0])
    grey = np.asarray(one, float).mean(axis=2)
    row[0].imshow(grey, "gray")
    row[0].set_title(f"{reasons[0].answer.label} {reasons[0].answer.probability:.2f}", fontsize=8)
    for axis, reason in zip(row[1:4], reasons, strict=True):
        axis.imshow(reason.overlay())
        axis.set_title(f"{reason.about.title}\n{reason.map.min():.2g} to {reason.map.max():.2g}", fontsize=8)
    row[4].imshow(grey, "gray")
    row[4].imshow(np.squeeze(edges), "viridis", alpha=0.6)
    row[4].set_title("edges of the picture", fontsize=8)
for axis in axes.flat:
    axis.set_axis_off()
side = " × ".join(map(str, pixels[0].shape))
lesson.show(
    figure, "methods", f"Three pictures of {side} under three methods; the last column knows no network."
)
# %% [markdown]
# Which column convinces you? The last one was made without the network. A map that follows the outlines of things looks
# like an explanation whatever the network does, so the eye is no judge. Two questions can be computed instead.
#
# **Does the map matter to the network?** Take pixels out in the order of the map, the most important first, and watch
# the probability of the class: a good map makes it fall fast (deletion). Put them back in the same order: it should
# rise fast (insertion). Both are compared with random orders on the same picture. **Does the map depend on what was
# learned?** Give the network fresh weights, from the head down; the map must change.
# %%
chosen = inputs[spread(lesson.pick(24, 10))]
with torch.no_grad():
    targets = network(chosen).argmax(dim=1)
options = {"occlusion": {"window": 8, "stride": lesson.pick(4, 8)}} if min(inputs.shape[2:]) >= 16 else {}
plan = striate.RemovalPlan(steps=lesson.pick(16, 6))
table = striate.check_explanations(network, chosen, targets, methods=METHODS, options=options, plan=plan)
print(table.to_text())
# %%
rows = [row for row in table.rows if row.checks]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), constrained_layout=True)
for shift, what in ((-0.12, "deletion"), (0.12, "insertion")):
    gains = [getattr(row.checks.removal, what).gain for row in rows]
    middle = [gain.value for gain in gains]
    ends = [[gain.value - gain.low for gain in gains], [gain.high - gain.value for gain in gains]]
    axes[0].errorbar(middle, np.arange(len(rows)) + shift, xerr=ends, fmt="o", label=what, capsize=3)
axes[0].axvline(0, color="grey", lw=1)
axes[0].set(
    yticks=range(len(rows)), yticklabels=[row.title for row in rows], xlabel="better than random orders by"
)
axes[0].set_title(f"area under the probability, {len(chosen)} images")
axes[0].legend(fontsize=8)
for row, style in zip(rows, ("o-", "s-", "^-", "D--", "x:"), strict=False):
    steps = row.checks.randomisation.steps
    values = [step.correlation.value for step in steps]
    axes[1].plot([step.part for step in steps], values, style, ms=5, label=row.title)
axes[1].axhline(0, color="grey", lw=1)
axes[1].set(ylabel="rank correlation with the map before", xlabel="fresh weights from the head down to")
axes[1].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3)


gain = {row.name: row.checks.removal.insertion.gain for row in rows}
better = [row for row in rows if gain[row.name].low > max(0, gain["edges"].high)]
good = [row.title for row in better if row.checks.randomisation.verdict == "changes"]
says = "Insertion beats random orders and edges, and fresh weights change the map: "
lesson.show(figure, "checks", f"{says}{', '.join(good) or 'none of them'}.")


# %% [markdown]
# Read the figure by three rules. An interval that holds 0 shows nothing. A gain no larger than that of the edges shows
# no more than that outlines matter. A correlation that stays high while the weights are fresh shows that the map
# was made from the picture, not from what was learned. The random map and the edges fail the last rule by construction,
# which is how one knows that the check can fail.
#
# A method that passes is not thereby complete: it has said where, not what, and only for this picture and this class.
#
# ## Exercises
#
# 1. Plant the evidence. Give random labels 0 and 1 to training pictures and mark those of class 1 by a white square in
#    a corner, so that nothing else can decide. How often does the peak of each method lie at the mark, on new pictures?
#    (The cells of the deepest stage see most of a small picture: where they answer is not where they looked.)
# 2. Explain a picture for its second most probable class too. How alike (rank correlation) are the two maps of each
#    method? An explanation *of a class* should not be the same for two.
# %% tags=["hide-cell"]
# Solution 1
def marked(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pictures with a white square of 5 pixels in the corner where the label is 1."""
    planted = np.stack([pack.pixels[row] for row in rows])
    planted[labels == 1, 1:6, 1:6] = planted.max()
    return planted


rows = chance.permutation(train.rows)[: lesson.pick(2000, 300)]
fresh = test.rows[spread(lesson.pick(100, 12))]
labels, ones = chance.integers(0, 2, len(rows)), np.ones(len(fresh), int)
quick = striate.Recipe(model="compact", epochs=4, batch_size=32, translation=0)
planted = striate.Classifier(quick).fit(marked(rows, labels), labels)
new = marked(fresh, ones)
called = float((planted.predict(new) == 1).mean())
print(f"called 1 by its mark: {called:.0%} of {len(new)} new pictures")
for method in METHODS:
    maps = [planted.explain(one, label=1, method=method).map for one in new]
    peaks = np.array([np.unravel_index(one.argmax(), one.shape) for one in maps])
    near, by_chance = (peaks < 8).all(axis=1).mean(), 64 / maps[0].size
    print(f"{method:<24} peak within 8 pixels of the corner: {near:.0%}; a peak anywhere: {by_chance:.0%}")


# %% tags=["hide-cell"]
# Solution 2
def ranks(values: torch.Tensor) -> np.ndarray:
    """The rank of every pixel of every map."""
    return values.flatten(1).argsort(dim=1).argsort(dim=1).double().numpy()


with torch.no_grad():
    two = network(chosen).topk(2, dim=1).indices
for method in METHODS:
    pair = [ranks(striate.attribute(network, chosen, two[:, place], method=method).maps) for place in (0, 1)]
    alike = [np.corrcoef(one, other)[0, 1] for one, other in zip(*pair, strict=True)]
    print(f"{method:<24} rank correlation of the two classes' maps: median {np.median(alike):+.2f}")
