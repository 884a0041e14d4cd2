"""Patient data: marks planted in twenty tags and in file names, and every file and line searched for them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from doors import Outcome, striate_here

pydicom = pytest.importorskip("pydicom")

TAGS = (
    "PatientName",
    "PatientID",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "OtherPatientIDs",
    "OtherPatientNames",
    "AdditionalPatientHistory",
    "AccessionNumber",
    "InstitutionName",
    "InstitutionAddress",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "RequestingPhysician",
    "StudyID",
    "StudyDescription",
    "SeriesDescription",
    "ImageComments",
    "StationName",
)
MARK, NAME_MARK = "ZQMARK", "ZNMARK"
DIGITS = "1.2.840.987654321987"


def write_dicom(path: Path, kind: int, number: int) -> None:
    """A small grey picture with a mark in every tag that may tell who the patient is."""
    from pydicom.dataset import Dataset, FileMetaDataset

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = f"{DIGITS}.{kind}.{number}"
    data.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.SOPInstanceUID = data.StudyInstanceUID = f"{DIGITS}.{kind}.{number}"
    for place, tag in enumerate(TAGS):
        setattr(data, tag, f"{MARK}{place:02d}")
    data.PatientID = f"{MARK}{kind}{number // 2}"
    data.PatientBirthDate = "19010203"
    block = data.private_block(0x0011, "STRIATE TEST", create=True)
    block.add_new(0x01, "LO", f"{MARK}private")
    data.Rows = data.Columns = 24
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    generator = np.random.default_rng([kind, number])
    pixels = generator.integers(0, 2000, (24, 24)) + 3000 * kind
    data.PixelData = pixels.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of twenty files, ten patients each, and files damaged in ways that make libraries talk."""
    root = tmp_path_factory.mktemp("study")
    for kind, name in enumerate(("healthy", "ill")):
        (root / name).mkdir()
        for number in range(20):
            write_dicom(root / name / f"{NAME_MARK}-{number:02d}.dcm", kind, number)
    whole = (root / "ill" / f"{NAME_MARK}-00.dcm").read_bytes()
    (root / "ill" / f"{NAME_MARK}-cut.dcm").write_bytes(whole[:-100])
    (root / "ill" / f"{NAME_MARK}-header.dcm").write_bytes(whole[:400])
    (root / "ill" / f"{NAME_MARK}-vr.dcm").write_bytes(whole.replace(b"LO", b"??", 3))
    (root / "ill" / f"{NAME_MARK}-rows.dcm").write_bytes(whole.replace(MARK.encode() + b"00", b"\xff" * 8))
    (root / "ill" / f"{NAME_MARK}-text.txt").write_text(MARK)
    return root


def commands(study: Path, run: Path, out: Path, *more: str) -> Iterator[tuple[str, Outcome]]:
    """Everything that one does with images, one command after the other."""
    grouped = ("--group", "PatientID", *more)
    yield "inspect", striate_here("data", "inspect", study, "--out", out / "sheets", *grouped)
    yield "audit", striate_here("data", "audit", study, "--out", out / "audit", *grouped)
    yield "split", striate_here("data", "split", study, "--out", out / "splits.csv", *grouped)
    quick = ("--epochs", "1", "--set", "model=mlp", "--set", "batch_size=8")
    yield "train", striate_here("train", study, "--out", run, *quick, *grouped)
    yield "evaluate", striate_here("evaluate", run, *more)
    yield "predict", striate_here("predict", run, study, "--json", *more)
    yield "wrong", striate_here("train", study, "--out", run.with_name("other"), "--group", MARK, *more)


def everything(outcomes: dict[str, Outcome], *folders: Path) -> dict[str, bytes]:
    """What was printed and every file written, by where it is."""
    found = {f"{name} output": (one.out + one.err).encode() for name, one in outcomes.items()}
    for folder in folders:
        for path in folder.rglob("*"):
            found[str(path)] = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
    return found


def holding(found: dict[str, bytes], mark: str) -> set[str]:
    """Where a mark stands, in one byte a letter or in two."""
    forms = [mark.lower().encode(), mark.lower().encode("utf-16-le")]
    return {place for place, content in found.items() if any(form in content.lower() for form in forms)}


@pytest.fixture(scope="module", params=["names", "pseudonyms"])
def traces(
    request: pytest.FixtureRequest, study: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Outcome], dict[str, bytes]]:
    """All output and all files of a whole session, with file names and with pseudonyms."""
    base = tmp_path_factory.mktemp(request.param)
    (base / "out").mkdir()
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIATE_CACHE", str(base / "cache"))
        patch.setenv("STRIATE_HOME", str(base / "home"))
        more = ("--pseudonyms",) if request.param == "pseudonyms" else ()
        outcomes = dict(commands(study, base / "run", base / "out", *more))
    assert before == {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    return request.param, outcomes, everything(outcomes, base)


def test_everything_was_done(traces) -> None:
    _, outcomes, found = traces
    codes = {name: one.code for name, one in outcomes.items()}
    assert codes == {
        **dict.fromkeys(("inspect", "audit", "split", "train", "evaluate"), 0),
        "predict": 1,
        "wrong": 1,
    }, outcomes
    assert any(path.endswith("report.html") for path in found)
    assert any(path.endswith("index.json") for path in found)
    assert any("tfevents" in path for path in found)
    assert sum(b"group-" in content for content in found.values()) >= 2
    assert "no group is named" not in outcomes["train"].err


@pytest.mark.parametrize("mark", [MARK, "19010203", DIGITS])
def test_no_tag_is_anywhere(traces, mark: str) -> None:
    _, _, found = traces
    # The one command that was given a mark as the name of a column must name it.
    assert holding(found, mark) <= ({"wrong output"} if mark == MARK else set())


def test_file_names_stand_only_where_images_are_named(traces) -> None:
    kind, _, found = traces
    places = {os.path.basename(place) for place in holding(found, NAME_MARK)}
    if kind == "pseudonyms":
        assert places == set()
        return
    assert {"splits.csv", "predictions.csv"} <= places
    assert places <= {
        *("splits.csv", "data.json", "predictions.csv", "evaluation.json", "report.html"),
        *("audit.csv", "audit.json", "audit.html"),
        *(
            f"{name} output"
            for name in ("inspect", "audit", "train", "split", "predict", "evaluate", "wrong")
        ),
    }


def test_patients_that_nobody_keeps_together_are_pointed_out(study: Path, tmp_path: Path) -> None:
    quick = ("--epochs", "1", "--set", "model=mlp", "--set", "batch_size=8")
    outcome = striate_here("train", study, "--out", tmp_path / "run", *quick)
    assert outcome.code == 0
    assert "pictures are DICOM and no group is named" in outcome.err
    assert "--group PatientID keeps patients together" in outcome.err


def test_patients_stay_together_and_are_called_by_keyed_digests(traces) -> None:
    _, _, found = traces
    table = next(content for place, content in found.items() if place.endswith("run/splits.csv"))
    lines = [line.split(",") for line in table.decode().splitlines()[1:]]
    groups: dict[str, set[str]] = {}
    for line in lines:
        if line[2] in ("train", "validation", "test"):
            assert re.fullmatch("group-[0-9a-f]{12}", line[4])
            groups.setdefault(line[4], set()).add(line[2])
    assert len(groups) == 20
    assert all(len(splits) == 1 for splits in groups.values())
