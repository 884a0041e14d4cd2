"""The audit on defects planted in CIFAR-10: recall and precision of each finding, and how long it takes."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import striate
from bench.measure import scratch, seconds

COUNT, EXACT, NEAR, WRONG, BRIGHTER = 10_000, 200, 1000, 0.03, 12
PAIR = ("cat", "dog")


def lines(data: Path) -> Iterator[str]:
    """One audit of 10,000 images with every defect planted at once, and one of a class made brighter."""
    pixels, labels = pictures(data, COUNT)
    with scratch() as folder:
        yield from planted(pixels, labels, Path(folder))
        yield from brighter(pixels, labels, Path(folder))


def planted(pixels: np.ndarray, labels: np.ndarray, folder: Path) -> Iterator[str]:
    """Exact and near duplicates across splits, and wrong labels."""
    random = np.random.default_rng(0)
    splits = random.choice(np.array(["train", "test"]), COUNT, p=[0.8, 0.2])
    drawn = random.choice(np.flatnonzero(splits == "train"), EXACT + NEAR, replace=False)
    exact, near = drawn[:EXACT], drawn[EXACT:]
    copies = [edit(random)(pixels[index]) for index in near]
    truth = np.concatenate([labels, labels[drawn]])
    given = mislabelled(truth, random)
    path = folder / "planted.npz"
    np.savez(
        path,
        images=np.concatenate([pixels, pixels[exact], np.stack(copies)]),
        labels=given,
        splits=np.concatenate([splits, np.full(EXACT + NEAR, "test")]),
        names=np.array([f"{number:05d}" for number in range(COUNT + EXACT + NEAR)]),
    )
    images = striate.load_images(path)
    decoded, _, _ = images.packed()
    found: list[striate.Audit] = []
    taken = seconds(lambda: found.append(decoded.audit()))
    yield f"{len(images):,} images of 32 × 32 audited: {taken:.1f} s"
    origin = np.concatenate([np.arange(COUNT), drawn])
    yield exact_line(found[0], origin)
    yield near_line(found[0], origin)
    yield label_line(found[0], truth != given)


def exact_line(audit: "striate.Audit", origin: np.ndarray) -> str:
    """Recall and precision over images in pairs of equal pixels in different splits."""
    cases = cases_of(audit, "duplicates-across-splits")
    wanted = {*origin[COUNT : COUNT + EXACT].tolist(), *range(COUNT, COUNT + EXACT)}
    listed = {case.image for case in cases}
    right = sum(origin[case.image] == origin[case.partner] for case in cases)
    return (
        f"exact duplicates across splits: recall {len(wanted & listed) / len(wanted):.1%}, "
        f"precision {right / len(cases):.1%}, n = {len(wanted):,} images"
    )


def near_line(audit: "striate.Audit", origin: np.ndarray) -> str:
    """Recall over planted images, precision over pairs with one; natural near duplicates count as right."""
    kinds = (
        "near-duplicates-across-splits",
        "near-duplicates-across-classes",
        "near-duplicates-within-class",
    )
    pairs = {
        (min(case.image, case.partner), max(case.image, case.partner))
        for kind in kinds
        for case in cases_of(audit, kind)
    }
    # An edit may leave every pixel as it was; then the pair is an exact one.
    equal = {
        (min(case.image, case.partner), max(case.image, case.partner))
        for case in cases_of(audit, "duplicates-across-splits")
    }
    first = COUNT + EXACT
    natural = {tuple(sorted((int(origin[a]), int(origin[b])))) for a, b in pairs if b < first}
    mine = [(a, b) for a, b in pairs if b >= first]
    right = sum(
        origin[a] == origin[b] or tuple(sorted((int(origin[a]), int(origin[b])))) in natural for a, b in mine
    )
    hits = sum((int(origin[image]), image) in pairs | equal for image in range(first, first + NEAR))
    return (
        f"near duplicates (JPEG 60–90, resized ±10–25 %, mirrored, brightened ±20 %, cropped by 2 pixels, turned): "
        f"recall {hits / NEAR:.1%} of {NEAR:,}, precision {right / len(mine):.1%} of {len(mine):,} pairs; "
        f"{len(natural):,} natural pairs besides"
    )


def label_line(audit: "striate.Audit", wrong: np.ndarray) -> str:
    """Recall and precision of the suspects, and the estimate of how many labels are wrong."""
    finding = audit.of_kind("label-suspects")
    listed = [case.image for case in cases_of(audit, "label-suspects")]
    hits = int(wrong[listed].sum())
    share = finding.numbers["wrong"] if finding else {"low": 0.0, "high": 0.0}
    return (
        f"{wrong.sum():,} wrong labels ({wrong.mean():.1%}): recall {hits / wrong.sum():.1%}, "
        f"precision {hits / max(1, len(listed)):.1%}, n = {len(listed):,} listed; "
        f"estimated {share['low']:.1%} to {share['high']:.1%}"
    )


def brighter(pixels: np.ndarray, labels: np.ndarray, folder: Path) -> Iterator[str]:
    """Which probes give cats and dogs away, before and after dogs are made brighter by twelve grey levels."""
    chosen = np.isin(labels, PAIR)
    before, names = pixels[chosen], labels[chosen]
    lifted = np.clip(before.astype(int) + BRIGHTER, 0, 255).astype(np.uint8)
    after = np.where((names == PAIR[1])[:, None, None, None], lifted, before)
    for words, shown in (
        ("cats and dogs as they are", before),
        (f"dogs brighter by {BRIGHTER} levels", after),
    ):
        path = folder / f"{words}.npz"
        np.savez(path, images=shown, labels=names)
        probe = striate.load_images(path).audit().of_kind("shortcut-probe")
        values = probe.numbers["probes"] if probe else {}
        told = ", ".join(
            f"{name} {one['value']:.1%} ({one['low']:.1%}–{one['high']:.1%})" for name, one in values.items()
        )
        yield f"{words}, balanced accuracy of the probes (chance 50 %): {told}"


def cases_of(audit: "striate.Audit", kind: str) -> list:
    """The images of a finding, none where there is no such finding."""
    finding = audit.of_kind(kind)
    return [] if finding is None else list(finding.cases)


def pictures(data: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Some images of CIFAR-10 and their class names."""
    with zipfile.ZipFile(data / "cifar10.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        taken = [names[index] for index in np.random.default_rng(0).choice(len(names), count, replace=False)]
        pixels = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in taken]
    return np.stack(pixels), np.array([name.split("/")[-2] for name in taken])


def mislabelled(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same labels with three in a hundred replaced by another."""
    names, number = np.unique(labels, return_inverse=True)
    chosen = random.choice(len(labels), int(WRONG * len(labels)), replace=False)
    number[chosen] = (number[chosen] + random.integers(1, len(names), len(chosen))) % len(names)
    return names[number]


def edit(random: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """One of the things that people do to a picture without making it another."""
    sign, amount = random.choice([-1, 1]), random.uniform()
    left, top = random.integers(0, 3, 2).tolist()
    edits: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda picture: compressed(picture, int(60 + 30 * amount)),
        lambda picture: fitted(fitted(picture, round(32 * (1 + sign * (0.1 + 0.15 * amount)))), 32),
        lambda picture: picture[:, ::-1],
        lambda picture: np.clip(picture * (1 + 0.2 * sign * amount), 0, 255).astype(np.uint8),
        lambda picture: fitted(picture[top : 30 + top, left : 30 + left], 32),
        lambda picture: np.rot90(picture, 1 + int(3 * amount)),
    ]
    return edits[random.integers(len(edits))]


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    """The picture after JPEG at a quality."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def fitted(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture at another size."""
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(picture)).resize((side, side), Image.Resampling.BILINEAR)
    )
