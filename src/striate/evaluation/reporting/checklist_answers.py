"""The answers of the checklist on data and methods: each a sentence or two, from fields of a run's files alone.

No picture and no group is named in them, and of a location its last part alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from striate.evaluation.reporting.wording import counted, threshold_text

Counts = Mapping[str, Mapping[str, int]]
SEEN = ("train", "validation", "test")
"""Splits of a run's own images."""
UNSAID = "to be written by whoever uses it."


def last_part(location: object) -> str:
    """Of a location its last part, which says what it is and not whose machine it was on."""
    return PurePath(str(location).rstrip("/\\").replace("\\", "/")).name or "the images"


def source(location: str, split: str) -> str:
    """Where the images come from, as far as software knows."""
    judged = "the same source" if split in SEEN else "another source"
    return f"Trained on {last_part(location)}; judged on images of {judged}. Who made them, where and when: {UNSAID}"


def left_out(unreadable: Sequence[object], dropped: Sequence[object]) -> str:
    """What software left out; whom the study took in, it cannot know."""
    return f"{excluded(unreadable, dropped)} Clinical criteria: {UNSAID}"


def excluded(unreadable: Sequence[object], dropped: Sequence[object]) -> str:
    """How many files could not be read, and how many were dropped.

    >>> excluded([["a.png", "no picture"]], [])
    'Left out: 1 file that could not be read, 0 pictures dropped after an audit; nothing else by software.'
    """
    said = f"Left out: {counted(len(unreadable), 'file')} that could not be read, {counted(len(dropped), 'picture')}"
    return f"{said} dropped after an audit; nothing else by software."


def preparation(known: Mapping[str, Any]) -> str:
    """Every step from a decoded picture to the network's input."""
    shape = f"{known['width']} × {known['height']} pixels, {counted(known['channels'], 'channel')}"
    fit = "proportions kept, borders repeated" if known["fit"] == "pad" else "stretched"
    said = f"One path in training, evaluation and use: {shape}, {known['depth']}; other sizes are resampled, {fit}"
    if known["patch"]:
        said += f"; the network sees a patch of {' × '.join(map(str, known['patch']))}"
    window = f"; window {known['window']}" if known["window"] else ""
    means, spreads = (", ".join(f"{one:.4g}" for one in known[name]) for name in ("mean", "std"))
    return f"{said}{window}; then less the mean ({means}) and over the deviation ({spreads}) of each channel."


def pseudonyms(used: bool) -> str:
    """Whether pictures keep their names."""
    if used:
        return (
            "Pictures are called by keyed digests in every file of the run. Pixels are not searched for text."
        )
    return "None by this software: pictures keep the names of their files. Pixels are not searched for text."


def missing(unreadable: Sequence[object]) -> str:
    """What became of files without a picture."""
    said = "A file that cannot be read is named with its reason and left out, never replaced by other pixels"
    return f"{said}: {counted(len(unreadable), 'file')}. No other input is used."


def assigned(counts: Counts, digest: str, seed: int) -> str:
    """How many images are in each split, and by what."""
    totals = ", ".join(f"{sum(classes.values()):,} {split or 'in none'}" for split, classes in counts.items())
    return (
        f"{totals}; row by row in splits.csv (SHA-256 {digest[:12]}…). Where neither the data nor a file named splits,"
        f" that of an image follows from seed {seed} and a hash of its group or its pixels."
    )


def disjoint(splits: Sequence[str], digests: Sequence[str], groups: Sequence[str] | None) -> str:
    """Over how many splits the same pixels, and the same groups, are spread."""
    pixels = torn(splits, digests)
    said = (
        "No identical pixels are in two splits"
        if not pixels
        else f"{counted(pixels, 'picture')} with identical pixels in two splits"
    )
    known = {one for one in groups or () if one}
    if not known:
        return f"Image level. {said}. No groups (patients, parts) are known, so they may straddle splits."
    straddling = torn(splits, groups or ())
    if straddling:
        return f"Image level: {straddling:,} of {counted(len(known), 'group')} straddle splits. {said}."
    return f"Group level: none of {counted(len(known), 'group')} is in two splits. {said}."


def torn(splits: Sequence[str], keys: Sequence[str]) -> int:
    """How many keys stand in more than one split."""
    found: dict[str, set[str]] = {}
    for split, key in zip(splits, keys, strict=True):
        if key and split in SEEN:
            found.setdefault(key, set()).add(split)
    return sum(len(where) > 1 for where in found.values())


def model(
    name: str, parameters: int, multiply_adds: int, classes: Sequence[str], other: Mapping[str, Any] | None
) -> str:
    """The network and its size; `other` is there for one that is not of striate's making."""
    size = f"{parameters:,} parameters, {multiply_adds:,} multiply-adds a picture, {counted(len(classes), 'output')}"
    more = f"its layers: {UNSAID}" if other else f"layer by layer: striate models {name}."
    return f"{name}, {size}; {more}"


def software(provenance: Mapping[str, Any]) -> str:
    """Every library that has a part in the numbers, and the machine."""
    versions = ", ".join(f"{name} {number}" for name, number in provenance["versions"].items())
    return f"{versions}; {provenance['machine']['system']}, {counted(provenance['threads'], 'thread')}."


def first_weights(weights: Sequence[str | None], rule: str, freeze: str) -> str:
    """Where the first weights are from."""
    if not weights:
        named = "the network's own rule" if rule == "own" else f"the rule of {rule}"
        return f"Drawn anew by {named} under the seed of the recipe."
    kept = "all stages trained on" if freeze == "none" else f"frozen: {freeze}"
    return f"Those of {last_part(weights[0])} (SHA-256 {weights[1] or 'unknown'}), {kept}."


TRAINING = ("optimiser", "learning_rate", "schedule", "epochs", "batch_size", "weight_decay", "seed")
CHANGES = ("translation", "reflection", "patch", "colour_jitter", "dropout", "label_smoothing")


def training(recipe: Mapping[str, Any]) -> str:
    """The fields that decide most; `null` means as the network, the optimiser or the size of the pictures has it."""
    said = [f"{name} {settled(recipe[name])}" for name in (*TRAINING, *CHANGES)]
    return f"{', '.join(said)}; every other field is in recipe.json."


def settled(value: object) -> str:
    """A field of the recipe in words."""
    return "by default" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def selected(keep: str, early_stop: int | None, epoch: int, history: Sequence[object]) -> str:
    """By what the epoch was chosen whose weights are kept."""
    if keep == "last":
        stop = "it was set before training" if early_stop is None else "validation chose when to stop"
        return f"The last of {counted(len(history), 'epoch')}; {stop}. Test images took no part."
    said = "The epoch of the highest validation accuracy, of equals that of the lowest validation loss"
    return f"{said}: {epoch} of {len(history):,}. Test images took no part."


def ensembling(views: str) -> str:
    """How many networks and views give an answer."""
    seen = {"one": "one view of each picture", "flip": "the mean over a picture and its mirror image"}
    return f"One network, {seen.get(views, 'the mean over ten patches of each picture')}; no ensemble."


def imbalance(balance: str, counts: Counts) -> str:
    """How unequal the classes are, and what was done about it."""
    sizes = sorted(counts.get("train", {}).values())
    ratio = (
        f"Classes of the training split have {sizes[0]:,} to {sizes[-1]:,} images" if sizes else "No images"
    )
    done = {
        "none": "nothing was done about it",
        "weights": "the loss of each class weighs the same",
        "sampling": "each class was drawn as often",
    }
    return f"{ratio}; {done[balance]}."


def output(decided: Mapping[str, Any] | None, classes: Sequence[str]) -> str:
    """What the network gives, and what is decided from it."""
    said = f"A probability for each of {len(classes):,} classes"
    if not decided or not (decided["operating"] or decided["abstention"] or decided["sets"]):
        return f"{said}; the most probable is the answer. No threshold was chosen."
    points = [
        f"{one['point']['positive']} from {threshold_text(one['point']['threshold'])} on ({one['point']['wish']})"
        for one in decided["operating"]
    ]
    points += ["a threshold below which there is no answer"] * bool(decided["abstention"])
    points += ["sets of classes"] * bool(decided["sets"])
    units = f"{decided['chosen_on']:,} validation {decided['by'].partition('-')[0]}s"
    return f"{said}; chosen on {units}: {', '.join(points)}."
