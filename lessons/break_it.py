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
# # Break it
#
# You will see five faults that ruin a classifier while the program still runs: shuffled labels, a leaked test set, a
# planted mark, swapped channels, a forgotten normalisation. Each is made on purpose, measured before and after, and
# shown with what striate says of it, or with the plain statement that it says nothing. About 1 minute on 2 cores;
# `--short` about 15 seconds. Needs: nothing but striate; `--source` takes a folder or archive of class folders.
#
# Set a fault to `False` to leave it out.
# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from opening import open_lesson

import striate

BREAK = {
    "shuffled labels": True,
    "leaked test set": True,
    "planted mark": True,
    "swapped channels": True,
    "forgotten normalisation": True,
}
lesson = open_lesson("break_it")
images = striate.load_images(lesson.images("shapes"))
EPOCHS, MOST = lesson.pick(12, 6), lesson.pick(2000, 300)

# %% [markdown]
# ## The sound experiment
#
# All faults start from the same pictures and the same split, so that each comparison changes one thing. Nothing is
# chosen by the test images in this lesson; they are judged again only to show what a fault does to the verdict.
# %%
images, _, pack = images.packed()
images = images.select(np.linspace(0, len(images) - 1, min(MOST, len(images))).astype(int))
part = images.with_splits(seed=0).splits
pixels, names = np.asarray(pack.pixels)[images.rows], np.array(images.classes)[images.labels]
train, validation, test = (part == split for split in ("train", "validation", "test"))
chance = 1 / len(images.classes)
print(f"{len(images):,} pictures of {pixels.shape[1:]}, {len(images.classes)} classes")
print(f"{train.sum()} train, {validation.sum()} validate, {test.sum()} test; guessing: {chance:.1%}")


# %%
def learn(pixels, names, **fields):
    """A compact network taught by the training part; the validation part chooses the epoch."""
    recipe = striate.Recipe(**{"epochs": EPOCHS, "batch_size": lesson.pick(64, 32), **fields})
    held = (pixels[validation], names[validation])
    return striate.Classifier(recipe).fit(pixels[train], names[train], validation=held)


said = "{:%}".format  # a rate with its interval and its n


def audit_of(pixels, names, splits):
    """The audit of arrays, by way of a file that striate reads."""
    file = lesson.out / "table.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez(file, images=pixels, labels=names, splits=splits)
    return striate.load_images(file).audit()


def tell(audit, *kinds):
    """What an audit says of some kinds of finding."""
    for kind in kinds:
        finding = audit.of_kind(kind)
        print(f"{finding.severity}, {kind}: {finding.sentence}" if finding else f"{kind}: no such finding")


# %%
sound = learn(pixels, names)
honest = sound.evaluate(pixels[test], names[test]).accuracy
results = {}
print("accuracy on the test images:", said(honest))
sound_audit = audit_of(pixels, names, part)
tell(sound_audit, "duplicates-across-splits", "shortcut-border", "shortcut-probe")

# %% [markdown]
# ## Shuffled labels
#
# The labels are dealt out anew, by chance. There is nothing to learn, but a network can still memorise its training
# images, so the training accuracy alone proves nothing. The test set does: its interval should hold the accuracy of
# guessing, in 19 of 20 such experiments. An interval that lies wholly above it points at a fault in the program.
# %%
if BREAK["shuffled labels"]:
    dealt = np.random.default_rng(0).permutation(names)
    shuffled = learn(pixels, dealt)
    number = shuffled.evaluate(pixels[test], dealt[test]).accuracy
    results["shuffled labels"] = (honest, number)
    holds = "holds" if number.low <= chance <= number.high else "does not hold"
    last = shuffled.history_[-1]["train"]["accuracy"]
    print(f"training accuracy in the last epoch: {last:.1%}")
    print(f"validation accuracy at best: {shuffled.kept_['validation']['accuracy']:.1%}")
    print(f"test accuracy: {said(number)}; the interval {holds} guessing ({chance:.1%})")
    tell(audit_of(pixels, dealt, part), "shortcut-probe", "label-suspects")
# %% [markdown]
# The audit has no finding called "labels are shuffled". It says so by a number: how much of the class a quick fit to
# the whole picture finds, beside chance. Of suspect labels it then says nothing, since a fit that is no better than
# guessing suspects nobody.

# %% [markdown]
# ## A leaked test set
#
# Half of the test images are copied into training, and all labels are shuffled ones again: nothing can be learned, so
# whatever rises above guessing is the leak alone. `evaluate` compares the pixels of what it judges with what was
# trained on, and refuses.
# %%
dealt = np.random.default_rng(0).permutation(names)
copied = np.flatnonzero(test)[::2]
if BREAK["leaked test set"]:
    few = np.concatenate([np.flatnonzero(train & (dealt == name))[:4] for name in images.classes])
    rows = np.concatenate([few, copied])
    recipe = striate.Recipe(epochs=60, batch_size=16, keep="last", translation=0)
    held = (pixels[validation], dealt[validation])
    leaked = striate.Classifier(recipe).fit(pixels[rows], dealt[rows], validation=held)
    try:
        leaked.evaluate(pixels[test], dealt[test])
    except striate.SourceError as refusal:
        print("refused:", refusal)
    ways = {"counted all the same": "accept", "leaked ones left out": "drop"}
    rates = {way: leaked.evaluate(pixels[test], dealt[test], leaks=way).accuracy for way in ways.values()}
    results["leaked test set"] = (rates["drop"], rates["accept"])
    for title, way in ways.items():
        print(f"{title}: {said(rates[way])}; guessing: {chance:.1%}")
# %% [markdown]
# Equal pixels are found by their digest, so one grey level is enough to hide a copy from `evaluate`. The audit looks
# for near copies as well, before training. First the training images themselves are judged, one grey level brighter.
# %%
if BREAK["leaked test set"]:
    slightly = np.where(pixels < pixels.max(), pixels + 1, pixels)
    print("evaluate:", sound.evaluate(slightly[train], names[train]).leaks)
    table = [np.concatenate([one[test], more[copied]]) for one, more in ((pixels, slightly), (names, names))]
    found = audit_of(*table, np.array(["test"] * test.sum() + ["train"] * len(copied)))
    print([(one.severity, one.kind, one.many) for one in found.findings if "duplicate" in one.kind])

# %% [markdown]
# ## A planted mark
#
# Every picture of one class gets a small white square in the corner: a hospital's stamp, a ruler, a date. The network
# may learn the mark instead of the thing. On test images that carry the mark as well, the verdict sees no harm.
# %%
side = max(4, pixels.shape[1] // 8)
corner = (slice(None), slice(1, 1 + side), slice(1, 1 + side))
marked_class = images.classes[0]


def with_mark(pictures):
    """The pictures with a white square in the upper left corner."""
    changed = pictures.copy()
    changed[corner] = pixels.max()
    return changed


# %%
if BREAK["planted mark"]:
    mine = names == marked_class
    stamped = np.where(mine[:, None, None, None], with_mark(pixels), pixels)
    fooled = learn(stamped, names)
    place = fooled.class_names_.index(marked_class)
    verdicts = [fooled.evaluate(judged[test], names[test]) for judged in (stamped, pixels)]
    results["planted mark"] = tuple(verdict.accuracy for verdict in verdicts)
    for title, verdict in zip(("mark present", "mark removed"), verdicts, strict=True):
        print(f"{title}: accuracy {said(verdict.accuracy)}")
        print(f"    sensitivity for {marked_class!r}: {said(verdict.per_class[place].recall)}")
    others = pixels[test & ~mine]
    for title, judged in (("without", others), ("with", with_mark(others))):
        called = np.mean(fooled.predict(judged) == marked_class)
        print(f"other classes {title} the mark, called {marked_class!r}: {called:.1%}")
    # The audit asks how well the outer tenth of the picture tells the class on its own.
    print("before:", end=" ")
    tell(sound_audit, "shortcut-border")
    print("after:", end=" ")
    tell(audit_of(stamped, names, part), "shortcut-border")
# %%
if BREAK["planted mark"]:
    shown = np.flatnonzero(test & mine)[: lesson.pick(8, 1)]
    reasons = [fooled.explain(stamped[i], method="integrated_gradients", label=marked_class) for i in shown]
    plain = [sound.explain(pixels[i], method="integrated_gradients", label=marked_class) for i in shown]
    heats = [np.abs([one.map for one in some]) for some in (reasons, plain)]
    shares = [(heat[corner].sum(axis=(1, 2)) / heat.sum(axis=(1, 2))).mean() for heat in heats]
    area = side**2 / (pixels.shape[1] * pixels.shape[2])
    print(f"the square is {area:.1%} of the picture and gets {shares[0]:.1%} of the explanation")
    print(f"(the network that never saw a mark gives the same place {shares[1]:.1%})")
# %%
if BREAK["planted mark"]:
    figure, axes = plt.subplots(1, 4, figsize=(7, 2.2), layout="constrained")
    panels = [stamped[shown[0]], reasons[0].overlay(), pixels[shown[0]], plain[0].overlay()]
    reach = [f"map ±{np.abs(one[0].map).max():.2g}" for one in (reasons, plain)]
    ranges = [
        f"{panels[0].min()}–{panels[0].max()}",
        reach[0],
        f"{panels[2].min()}–{panels[2].max()}",
        reach[1],
    ]
    titles = ["with the mark", "fooled network", "without the mark", "sound network"]
    for axis, panel, title, span in zip(axes, panels, titles, ranges, strict=True):
        axis.imshow(np.squeeze(panel), cmap="gray", interpolation="nearest")
        axis.set_title(f"{title}\n{'×'.join(map(str, panel.shape))}, {span}", fontsize=8)
        axis.axis("off")
    says = f"The fooled network's explanation puts {shares[0]:.0%} into the square, the sound one's {shares[1]:.0%}."
    lesson.show(figure, "mark", says)
    plt.close(figure)

# %% [markdown]
# ## Swapped channels
#
# OpenCV hands out blue, green, red. Arrays carry no note of their order, so a network taught on one and asked with the
# other gets wrong colours. How much that costs depends on what the classes differ by. So it is measured twice: on these
# pictures, and on a task made from them in which the class *is* the colour.
# %%
if BREAK["swapped channels"] and pixels.shape[3] == 3:
    swapped = sound.evaluate(pixels[test][..., ::-1], names[test]).accuracy
    print("these pictures, RGB:", said(honest))
    print("these pictures, BGR:", said(swapped))
    warm = np.random.default_rng(1).random(len(pixels)) < 0.5
    gains = np.where(warm[:, None, None, None], [1.0, 0.8, 0.5], [0.5, 0.8, 1.0])
    tinted, tints = (pixels * gains).astype(pixels.dtype), np.where(warm, "reddish", "bluish")
    colours = learn(tinted, tints, epochs=max(2, EPOCHS // 2))
    seen = (tinted[test], tinted[test][..., ::-1])
    right, wrong = (colours.evaluate(judged, tints[test]).accuracy for judged in seen)
    results["swapped channels"] = (right, wrong)
    print("reddish or bluish, RGB:", said(right))
    print("reddish or bluish, BGR:", said(wrong))
elif BREAK["swapped channels"]:
    print("These pictures are grey: there are no channels to swap.")
# %% [markdown]
# striate does not warn of this. Files are safe, because one reader serves training and prediction. An array is
# taken at its word. Distances from the training images can be asked for (`sureness="mahalanobis"`: abstain from what
# lies far from them); whether they notice the swap is counted here.
# %%
if BREAK["swapped channels"] and pixels.shape[3] == 3:
    colours.decide(abstain="coverage>=0.95", sureness="mahalanobis")
    for title, judged in zip(("RGB", "BGR"), seen, strict=True):
        kept = [not colours.predict_one(one).abstained for one in judged]
        print(f"{title}: {np.mean(kept):.1%} of {len(kept)} pictures are answered as being like training")

# %% [markdown]
# ## A forgotten normalisation
#
# The network was taught on inputs with the mean and deviation of the training images taken out. That preparation is
# saved with the run, and `predict`, `serve` and `export` have no other way to the network. To forget it, one must feed
# the network by hand, as code around other people's weights often does.
# %%
if BREAK["forgotten normalisation"]:
    place = [sound.class_names_.index(name) for name in names[test]]
    raw = torch.from_numpy(pixels[test].transpose(0, 3, 1, 2).astype(np.float32))
    full = float(pixels.max())
    fed = {
        "as prepared": striate.to_input(pixels[test], sound.preparation_),
        "scaled to 0..1": raw / full,
        "not scaled": raw,
    }
    for title, inputs in fed.items():
        with torch.no_grad():
            chances = torch.softmax(sound.network_.eval()(inputs.contiguous()).double(), dim=1).numpy()
        number = striate.judge(np.array(place), chances, sound.class_names_).accuracy
        print(f"{title:<20} inputs {inputs.min():6.2f}..{inputs.max():6.2f}: {said(number)}")
        if title != "as prepared":
            results.setdefault("forgotten normalisation", (honest, number))
# %% [markdown]
# Nothing looked at those inputs, so nothing could warn. Through the front door it is harder: pictures that somebody has
# scaled to 0..1 beforehand are of another kind than those that the run was taught on.
# %%
if BREAK["forgotten normalisation"]:
    try:
        answer = sound.predict_one(pixels[test][0].astype(np.float32) / full)
        print("answered:", answer.label)
    except striate.ImageError as refusal:
        print("refused:", refusal)

# %% [markdown]
# ## All faults side by side
# %%
figure, axis = plt.subplots(figsize=(7, 0.7 + 0.6 * max(1, len(results))), layout="constrained")
for row, pair in enumerate(results.values()):
    for number, (label, colour) in zip(pair, {"sound": "#0072b2", "broken": "#d55e00"}.items(), strict=True):
        height = row + (0.12 if label == "sound" else -0.12)
        axis.plot([100 * number.low, 100 * number.high], [height, height], color=colour)
        axis.plot(100 * number.value, height, "o", color=colour, label=None if row else label)
axis.set_yticks(range(len(results)), list(results))
axis.set(xlabel="accuracy on the test images (%), 95 % interval", xlim=(-2, 102))
if results:
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
worst = min(results, key=lambda name: results[name][1].value, default="no fault")
lesson.show(figure, "faults", f"Each fault beside its sound twin; the lowest accuracy is that of: {worst}.")
plt.close(figure)

# %% [markdown]
# ## Exercises
#
# 1. Give one label in ten to another class. How many labels does the audit suspect, and how many of those are wrong?
# 2. Plant the mark in the middle of the picture. Does `shortcut-border` still find it? Which finding could?
# %% tags=["hide-cell"]
# Solution 1
draw = np.random.default_rng(2)
wrong = draw.random(len(names)) < 0.1
other = np.array([draw.choice([one for one in images.classes if one != name]) for name in names])
suspects = audit_of(pixels, np.where(wrong, other, names), part).of_kind("label-suspects")
if suspects:
    hits = sum(wrong[case.image] for case in suspects.cases)
    print(f"{wrong.sum()} labels are wrong; {suspects.count} are suspected, {hits} of them rightly")
# %% tags=["hide-cell"]
# Solution 2
middle = pixels.copy()
at = (pixels.shape[1] - side) // 2
middle[names == marked_class, at : at + side, at : at + side] = pixels.max()
found = audit_of(middle, names, part)
tell(found, "shortcut-border", "shortcut-brightness", "shortcut-contrast")
