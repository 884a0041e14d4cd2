"""A folder with small stand-ins under the names that the pages use, so that what a page shows can be run."""

import io
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

import striate

ROOT = Path(__file__).parents[2]
RUNS: dict[str, tuple[str, ...]] = {
    "runs/first": ("digits",),
    "runs/five": ("five",),
    "runs/lenet5": ("mnist.zip", "--model", "lenet5"),
    "runs/mnist": ("mnist.zip", "--model", "lenet5"),
    "runs/small-2": ("small.zip",),
    "runs/colour": ("colour", "--set", "size=12"),
    "runs/d3": ("digits", "--model", "mlp"),
    "runs/d15": ("digits", "--model", "mlp", "--set", "learning_rate=0.01"),
}
"""Runs that a page takes for granted, and what they are trained on."""


def furnish(folder: Path) -> None:
    """Everything but the runs, into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cells(folder / "cells.zip")
    pictures(folder / "photos", ("cracked", "sound"), 24, side=24)
    pictures(folder / "xrays", ("clear", "shadow"), 6, side=48)
    pictures(folder / "colour", ("blue", "green", "red"), 12, side=12, channels=3)
    pictures(folder / "five", ("bird", "cat", "deer", "dog", "frog"), 8, side=32, channels=3)
    pictures(folder / "few", ("bird", "cat", "deer", "dog", "frog"), 2, side=32, channels=3)
    for name, classes, each in (("small", 3, 16), ("large", 4, 24)):
        zipped(pictures(folder / name, ("knot", "plain", "ring", "split")[:classes], each, side=24), folder)
    zipped(mnist(folder / "mnist"), folder)
    scans(folder / "scans")
    sys.path.insert(0, str(ROOT))
    from recipes.stand_ins import small_objects, written_by_hand

    small_objects(folder / "cifar10")
    zipped(folder / "cifar10", folder)
    written_by_hand(folder / "chars74k")
    single_pictures(folder)
    (folder / "token.txt").write_text("a token of more than sixteen characters\n")


def drawn(kind: int, number: int, side: int, channels: int = 1) -> np.ndarray:
    """A picture of one of five kinds, no two alike, easily told apart: uint8 `height width [channel]`."""
    chance = np.random.default_rng([kind, number, side])
    rows, columns = np.mgrid[:side, :side] // max(2, side // 8) % 2
    plans = (np.zeros_like(rows), rows, columns, rows ^ columns, np.ones_like(rows))
    grey = 20 + 170 * plans[kind] + chance.integers(0, 60, (side, side))
    if channels == 1:
        return grey.astype(np.uint8)
    tint = chance.uniform(0.6, 1.0, 3)
    return (grey[..., None] * tint).astype(np.uint8)


def pictures(folder: Path, classes: tuple[str, ...], each: int, *, side: int, channels: int = 1) -> Path:
    """A folder of class folders."""
    for kind, name in enumerate(classes):
        for number in range(each):
            save(folder / name / f"{number:03d}.png", drawn(kind, number, side, channels))
    return folder


def cells(folder: Path) -> None:
    """Four classes of cells, with a table that names patient and scanner.

    A folder, for all its name: pages speak of a zip, and a run on a zip that holds its own table cannot find it again.
    """
    rows = [("file_name", "label", "patient", "scanner")]
    for kind, name in enumerate(("cyst", "malignant", "parasitized", "uninfected")):
        for number in range(64 if name == "parasitized" else 96):
            patient = f"C{1 + number % 2:02d}P{kind * 24 + number // 4:02d}"
            file = f"{name}/{patient}-{number:03d}.png"
            save(folder / file, drawn(kind, number, 16))
            rows.append((file, name, patient, ("north", "south")[number // 4 % 2]))
    (folder / "metadata.csv").write_text("".join(f"{','.join(row)}\n" for row in rows))


def mnist(folder: Path) -> Path:
    """The embedded digits at MNIST's size, with its two splits."""
    images, _, pack = striate.load_images("digits").packed()
    glyphs, labels = np.asarray(pack.pixels)[..., 0], images.labels
    for label in range(10):
        for number, glyph in enumerate(glyphs[labels == label][:40]):
            large = np.pad(np.kron(glyph, np.ones((3, 3), np.uint8)), 2)
            save(folder / ("train" if number < 28 else "test") / str(label) / f"{number:03d}.png", large)
    return folder


def scans(folder: Path) -> None:
    """CT slices of sixteen patients as DICOM files, with values in Hounsfield units."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    for kind, name in enumerate(("clear", "nodule")):
        (folder / name).mkdir(parents=True)
        for patient in range(8):
            for slice_ in range(2):
                meta = FileMetaDataset()
                meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
                meta.MediaStorageSOPInstanceUID = f"1.2.3.{kind}.{patient}.{slice_}"
                values = (drawn(3 * kind, 2 * patient + slice_, 24).astype(np.int16) - 100) * 6
                made = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
                made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
                made.Modality, made.PatientID = "CT", f"patient-{kind}-{patient}"
                made.Rows, made.Columns = values.shape
                made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
                made.BitsAllocated = made.BitsStored = 16
                made.HighBit, made.PixelRepresentation = 15, 1
                made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, 0, "HU"
                made.PixelData = values.tobytes()
                made.save_as(folder / name / f"p{patient:02d}-{slice_}.dcm", enforce_file_format=True)


def single_pictures(folder: Path) -> None:
    """Pictures that are asked about one by one, and folders of them."""
    images, _, pack = striate.load_images("digits").packed()
    glyphs = np.asarray(pack.pixels)[..., 0]
    for name, label in (("three", 3), ("seven", 7), ("eight", 8)):
        save(folder / f"{name}.png", glyphs[images.labels == label][0])
    for number, name in ((2, "deer"), (4, "ship")):
        save(folder / f"{name}.png", drawn(number, 99, 32, 3))
    save(folder / "slide.png", drawn(2, 500, 16))
    for number in range(8):
        save(folder / "more-slides" / f"{number}.png", drawn(number % 4, 600 + number, 16))
        save(folder / "other-slides" / f"{number}.png", 255 - drawn(4, 700 + number, 16))
    photo = striate.example_picture("flower")[:40, :50].copy()
    photo[0:2, 9:12, 0] = ((185, 186, 185), (184, 186, 186))  # the window that docs/kernels.md works
    save(folder / "photo.png", photo)
    Image.fromarray(striate.example_picture("flower")[:80, :100]).save(folder / "owl.jpg")


def zipped(folder: Path, into: Path) -> None:
    """A zip of everything below a folder, named as the folder."""
    with zipfile.ZipFile(into / f"{folder.name}.zip", "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder))


def png(pixels: np.ndarray) -> bytes:
    """A PNG file."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(pixels))
