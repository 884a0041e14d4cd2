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
# # 8. Images of one's own
#
# You will see the way from a folder of files to a verdict that one can defend: files and a zip give the same table,
# pictures are altered on the fly while training, what belongs to one person stays together, an audit finds what is
# wrong with the files, and an operating point turns probabilities into decisions. Drawn stars and triangles stand in
# for ill and healthy cells, and their painters for patients.
#
# About 1 minute on 2 cores; `--short` about 15 seconds. Needs: nothing but striate. With `--source` the lesson works
# on a copy of up to a few hundred of your own images; your files are not touched.
# %%
import csv
import io
import os
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from drawn import draw_shapes
from opening import open_lesson
from PIL import Image

import striate

lesson = open_lesson("08_own_images")
source = lesson.source or lesson.folder("slides")
if lesson.source is None:
    painters = lesson.pick(90, 40)
    draw_shapes(Path(source), ("star", "triangle"), each=6, painters=painters, noise=45)
    print(f"Images: stars and triangles by {painters} painters. --source IMAGES takes your own.")
pattern = r"p(\d+)" if lesson.source is None else os.environ.get("STRIATE_GROUPS")
# %% [markdown]
# ## Cells, X-rays, cracks
#
# Some data sets are known by name, and are fetched by one command after which nothing uses the network. X-rays and CT
# usually come as DICOM files: a folder of them is a source like any other, and `--group PatientID` keeps a patient's
# images together.
# %%
for entry in striate.named_data():
    megabytes = f"{entry.size / 1e6:,.0f} MB" if entry.size else "size not stated"
    print(f"striate data download {entry.name:16} {entry.images:7,} images, {megabytes:>16}   {entry.title}")
print("\nthen: striate train malaria --out runs/malaria")
# %% [markdown]
# ## A folder, and a zip of it
#
# The usual layout is one folder for each class. We write such a folder, so that the lesson may spoil it later, and
# pack it into a zip. Images are known by the digest of their decoded pixels, so both must give the same table.
# %%
given, preparation, pack = striate.load_images(source, group_from=pattern).packed()
chosen = np.sort(np.random.default_rng(0).permutation(len(given))[: lesson.pick(1500, 600)])
given, folder = given.select(chosen), lesson.folder("mine")
for image, label, row in zip(given.names, given.labels, given.rows, strict=True):
    pixels = np.squeeze(np.asarray(pack.pixels[row]))
    if pixels.dtype != np.uint8:  # this copy is for looking and spoiling: eight bits will do
        pixels = np.interp(pixels, (pixels.min(), pixels.max()), (0, 255)).astype(np.uint8)
    place = image.removeprefix(f"{given.classes[label]}/").replace("/", "-").replace("#", "-")
    path = folder / given.classes[label] / f"{Path(place).stem}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
# %%
archive = folder.with_suffix(".zip")
with zipfile.ZipFile(archive, "w") as packed:
    for path in sorted(folder.rglob("*.png")):
        packed.write(path, path.relative_to(folder))

from_folder, from_zip = (striate.load_images(place).packed()[0] for place in (folder, archive))
assert from_folder.names == from_zip.names
assert (from_folder.digests == from_zip.digests).all()
print(f"{len(from_folder):,} files and {len(from_zip):,} members of the zip: equal names, equal digests")
print("first digest:", from_folder.digests[0].decode())
for split, counts in from_folder.with_splits(0).counts().items():
    print(f"{split:11}", counts if len(counts) <= 12 else f"{sum(counts.values())} of {len(counts)} classes")
# %% [markdown]
# ## What an epoch sees
#
# Altering training pictures at random tells the network what must not matter. Nothing is written to the disk: each
# batch is altered as it is made. Which shift a picture gets is a pure function of seed, epoch and picture, so a run
# can be repeated bit for bit, and one killed halfway goes on with the same pictures.
#
# The square that is cut out is black here; in training it has the mean colour of the training images.
#
# Ask of each alteration whether the label survives it. A mirrored cell is a cell; a mirrored letter may be none.
# %%
whole, preparation, pack = striate.load_images(folder).packed()
side = min(preparation.height, preparation.width)
altering = {"translation": max(1, side // 8), "reflection": True, "cutout": side // 4}
first = np.arange(min(len(whole), 128))


def seen(image: int, epoch: int, seed: int = 0) -> np.ndarray:
    """What the network is given of one of the first images in an epoch: `channel height width`, normalised."""
    batches = striate.Batches(
        pack.pixels, whole.rows[first], whole.labels[first], preparation, batch_size=64, seed=seed, **altering
    )
    for batch in batches.epoch(epoch):
        if (found := np.flatnonzero(batch.rows == whole.rows[image])).size:
            return batch.inputs[found[0]].numpy()
    raise ValueError(image)


assert (seen(0, 3) == seen(0, 3)).all()
print("epoch 3 twice: the same pixels; another seed:", bool((seen(0, 3) == seen(0, 3, seed=1)).all()))
# %%
figure, axes = plt.subplots(3, 6, figsize=(7, 4))
for image, line in zip(np.linspace(0, len(first) - 1, 3).astype(int), axes, strict=True):
    line[0].imshow(np.squeeze(pack.pixels[whole.rows[image]]), cmap="gray")
    line[0].set_title("the file", fontsize=9)
    for epoch, axis in enumerate(line[1:]):
        view = np.moveaxis(seen(int(image), epoch), 0, -1)
        view = (view - view.min()) / max(np.ptp(view), 1e-9)
        axis.imshow(np.squeeze(view[..., :3]), cmap="gray")
        axis.set_title(f"epoch {epoch + 1}", fontsize=9)
for axis in axes.flat:
    axis.axis("off")
says = f"Three files of {side} pixels a side and what five epochs see of them: " + ", ".join(altering) + "."
lesson.show(figure, "epochs", says)
# %% [markdown]
# ## Patients apart
#
# `group_from` takes the person from the file's name; a table's column or a DICOM attribute would do as well. Without
# it the images of one person land in all three parts.
# %%
careless = striate.load_images(folder).packed()[0].with_splits(0, stratify=True)
if pattern:
    named = striate.load_images(folder, group_from=pattern).packed()[0]
    apart = named.with_splits(0, stratify=True)
    mixed = named.with_splits_from(careless.splits_csv())
    people = len(set(named.groups.tolist()))
    for way, cut in {"not named": mixed, "named": apart}.items():
        print(f"{way:10} {len(cut.straddling_groups())} of {people} people are in more than one part")
else:
    print("Whose images these are is not known: STRIATE_GROUPS=PATTERN names them.")
# %% [markdown]
# ## The audit
#
# Most failures of image classifiers are failures of their data. We plant four in the copy and see whether the audit
# finds them: a picture copied into another class, a picture copied under a new name within its class, a file cut off
# in the middle, and pictures moved to a wrong class.
# %%
names = np.array(whole.names)
of_class = [names[whole.labels == label] for label in range(len(whole.classes))]
one, two = whole.classes[0], whole.classes[1]
spoilt = folder / of_class[0][0]
within = f"{one}/{Path(of_class[0][1]).stem}-copy.png"
across = f"{two}/{Path(of_class[0][2]).stem}-copy.png"
(folder / within).write_bytes((folder / of_class[0][1]).read_bytes())
(folder / across).write_bytes((folder / of_class[0][2]).read_bytes())
planted = {
    "unreadable": {of_class[0][0]},
    "duplicates-within-class": {within},
    "duplicates-across-classes": {across},
}
spoilt.write_bytes(spoilt.read_bytes()[: spoilt.stat().st_size // 2])
moving = of_class[1][3 :: max(1, len(of_class[1]) // 6)][:6]
planted["label-suspects"] = {f"{one}/{Path(moved).name}" for moved in moving}
for moved in moving:
    (folder / moved).rename(folder / one / Path(moved).name)
# %%
images = striate.load_images(folder, group_from=pattern)
audit = images.audit()
print(f"{audit.images} images, gravest finding: {audit.severity}\n")
for finding in audit.findings:
    print(f"{finding.severity:8} {finding.kind:26} {finding.sentence}")
# %%
print(f"{'planted':27}{'how many':>9}{'found':>7}{'said in all':>13}")
for kind, files in planted.items():
    finding = audit.of_kind(kind)
    said = {each for case in finding.cases for each in (case.source, case.other)} if finding else set()
    print(f"{kind:27}{len(files):9}{len(files & said):7}{finding.count if finding else 0:13}")
print("\nlooked at: size, format, brightness, border … `audit.write(folder)` writes pictures of all of it.")
# %% [markdown]
# The suspects come from a quick fit to simple features, which sees little of a shape. A network sees more: after
# `striate train SOURCE --folds 5` the file `review.csv` lists the labels that the folds disagree with.
#
# An audit asks; a person decides. Its table has one row for a finding and an image. We look at the suspects, put
# `drop` or `relabel` into the column `action`, and pass the table back. The files stay as they are: dropped images
# remain listed in every run's `splits.csv`, as `dropped`.
# %%
rows = list(csv.DictReader(io.StringIO(audit.csv().decode("utf-8-sig"))))
decisions = io.StringIO()
writer = csv.DictWriter(decisions, ["source", "action", "new_label"])
writer.writeheader()
to_drop = {within, across}
for file in sorted(planted["label-suspects"] | to_drop):
    dropped = file in to_drop
    answer = ("drop", "") if dropped else ("relabel", two)
    writer.writerow({"source": file, "action": answer[0], "new_label": answer[1]})
images = images.decided(decisions.getvalue().encode())
print(f"columns of the audit's table: {', '.join(rows[0])}")
print(f"{len(images)} images remain, {len(images.dropped)} dropped")
# %% [markdown]
# Here we relabel what we know to be moved. Of your own images you would look first: a suspect is a question.
#
# ## A verdict one can defend
#
# One training, then the test images once. The sentence names its n and its interval; the line on leaks says what was
# compared. With few people in the test the interval is wide, whatever the number of pictures.
# %%
shares = (0.5, 0.25, 0.25) if pattern else (0.7, 0.15, 0.15)
decoded, _, pack = images.packed()
cut = decoded.with_splits(0, fractions=shares, stratify=True)
recipe = striate.Recipe(epochs=lesson.pick(20, 8), batch_size=32, seed=0)
classifier = striate.Classifier(recipe).fit(cut)
# %% [markdown]
# ## The operating point
#
# One class is now the disease, the rest is healthy. The most probable class treats a missed disease and a false alarm
# alike; a clinic does not. So we wish for a sensitivity of at least 95 %. The threshold that fulfils it is chosen on
# validation images, *before* the test images are opened, and is then tested once.
# %%
positive = whole.classes[0]
decision = classifier.decide(operate=("sensitivity>=0.95",), positive=positive)
point = decision.operating[0]
print(f"{positive!r} is said from a probability of {point.threshold:.3f}, chosen on {point.chosen_on}")
for caveat in decision.caveats:
    print("caveat:", caveat)
# %%
test = cut.of_split("test")
verdict = classifier.evaluate(test)
print(verdict.sentence())
print(verdict.leaks)
judged = verdict.decided.operating[0]
for rate, number in judged.rates.items():
    if number.low is not None:
        print(f"{rate:12} {number.value:6.1%} ({number.low:.1%} to {number.high:.1%}, n = {number.n})")
words = {"reached": "reached", "missed": "missed", "open": "cannot be told from these images"}
print(f"{point.wish}: {words.get(judged.outcome(), 'no bound was wished')}")
# %%
chances = classifier.predict_proba(np.asarray(pack.pixels[test.rows]))[
    :, list(classifier.class_names_).index(positive)
]
inside = test.labels == test.classes.index(positive)
figure, axis = plt.subplots(figsize=(7, 2.8))
bins = np.linspace(0, 1, 26)
axis.hist(
    [chances[inside], chances[~inside]], bins, color=["#d55e00", "#999999"], label=[positive, "the rest"]
)
axis.axvline(point.threshold, color="black", linewidth=1, label=f"threshold {point.threshold:.3f}")
axis.set_yscale("symlog", linthresh=1)
axis.set_xlabel(f"probability of {positive}")
axis.set_ylabel(f"test images (n = {len(test)})")
axis.legend(frameon=False)
missed, alarms = (
    int((inside & (chances < point.threshold)).sum()),
    int((~inside & (chances >= point.threshold)).sum()),
)
lesson.show(
    figure, "threshold", f"At the threshold {missed} of {inside.sum()} are missed; {alarms} false alarms."
)
# %% [markdown]
# ## Exercises
#
# 1. A disease is rarer in a clinic than among these images. What is the positive predictive value where 2 % have it?
# 2. Wish for a specificity of at least 90 % instead. What becomes of the sensitivity? Read the caveats: what does
#    striate know that a reader of the number would want to know?
# 3. Add ten copies of one test image to the training part under other names. What does the split do with them?
# %% tags=["hide-cell"]
# Solution 1
rare = classifier.evaluate(test, prevalence=0.02).decided.operating[0].rates["ppv"]
here = judged.rates["ppv"]
for said, number in {f"{inside.mean():.0%} as here": here, "2 %": rare}.items():
    if number.low is not None:
        print(f"prevalence {said:12} PPV {number.value:.1%} ({number.low:.1%} to {number.high:.1%})")
# %% tags=["hide-cell"]
# Solution 2
second = classifier.decide(operate=("specificity>=0.9",), positive=positive, seen=True)
rates = classifier.evaluate(test).decided.operating[0].rates
for rate in ("sensitivity", "specificity"):
    number = rates[rate]
    print(f"{rate:12}", "undefined" if number.low is None else f"{number.low:.1%} to {number.high:.1%}")
print("\n".join(second.caveats))
# %% tags=["hide-cell"]
# Solution 3
original = folder / test.names[0]
for number in range(10):
    (original.parent / f"{original.stem}-again-{number}.png").write_bytes(original.read_bytes())
again = striate.load_images(folder, group_from=pattern).packed()[0].with_splits(0)
alike = again.select(again.digests == test.digests[0])
print(f"{len(alike)} files with the same pixels, in {sorted(set(alike.splits.tolist()))}")
assert len(set(alike.splits.tolist())) == 1
