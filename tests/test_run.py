"""A saved run: one folder that needs nothing else, whole or refused."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import striate
from striate.errors import RunError, StriateError
from striate.files import sha256_of
from striate.run import DATA, FILES, FORMAT, MANIFEST, MODEL, is_finished, load_run, save_run


@pytest.fixture
def folder(tmp_path: Path, digits_run: Path) -> Path:
    return Path(shutil.copytree(digits_run, tmp_path / "run"))


def copy_of(folder: Path, target: Path) -> None:
    """The run saved again from what was read."""
    run = load_run(folder)
    about = {name: value for name, value in run.about.items() if name != "format"}
    save_run(target, run.network, about, run.recipe, run.history, run.splits.read_bytes())


def test_what_was_read_writes_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    copy_of(folder, tmp_path / "copy")
    for name in (*FILES, MANIFEST):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_a_run_needs_nothing_but_its_files(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "moved").mkdir()
    for name in (*FILES, MANIFEST):
        shutil.copy(folder / name, tmp_path / "moved")
    run = load_run(tmp_path / "moved")
    assert run.classes == tuple("0123456789")
    assert run.recipe.model == "mlp"
    assert len(run.history) == 1
    assert not run.network.training
    chances = run.network(torch.zeros(1, *run.preparation.input_shape()))
    assert chances.shape == (1, 10)


def test_the_manifest_names_every_file_in_the_way_of_sha256sum(folder: Path) -> None:
    stated = json.loads((folder / MANIFEST).read_text())
    assert list(stated) == list(FILES)
    listed = subprocess.run(
        ["sha256sum", *FILES], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1]: line.split()[0] for line in listed.splitlines()} == stated


def test_the_model_file_says_what_made_the_run(folder: Path) -> None:
    about = json.loads((folder / MODEL).read_text())
    assert about["format"] == FORMAT
    assert "data" not in about
    provenance = about["provenance"]
    assert provenance["command"].startswith("striate train digits --out ")
    assert provenance["versions"]["torch"] == torch.__version__
    assert {"seed", "threads", "machine", "finished"} <= set(provenance)


def test_what_names_images_stands_in_a_file_of_its_own(folder: Path) -> None:
    data = json.loads((folder / DATA).read_text())
    assert data["source"] == "digits"
    assert sum(sum(split.values()) for split in data["counts"].values()) == 1797
    assert data["splits_sha256"] == sha256_of(folder / "splits.csv")
    assert load_run(folder).about["data"] == data


def test_a_run_of_the_format_before_says_so(folder: Path) -> None:
    (folder / DATA).unlink()
    stated = json.loads((folder / MANIFEST).read_text())
    del stated[DATA]
    (folder / MANIFEST).write_text(json.dumps(stated))
    with pytest.raises(
        RunError, match=r"of an older format: its manifest lists no data.json. Train it again"
    ):
        load_run(folder)


def test_finished_means_that_the_manifest_is_there(tmp_path: Path, folder: Path) -> None:
    assert is_finished(folder)
    (folder / MANIFEST).unlink()
    assert not is_finished(folder)
    with pytest.raises(
        RunError, match=r"not finished. Go on with the same `striate train` command and --resume"
    ):
        load_run(folder)
    with pytest.raises(RunError, match=r"it has no manifest\.json"):
        load_run(tmp_path)
    with pytest.raises(RunError, match="no such folder"):
        load_run(tmp_path / "none")


def restate(folder: Path) -> None:
    (folder / MANIFEST).write_text(json.dumps({name: sha256_of(folder / name) for name in FILES}))


def test_a_newer_format_is_refused_before_anything_else_is_read(folder: Path) -> None:
    about = json.loads((folder / MODEL).read_text())
    (folder / MODEL).write_text(json.dumps({**about, "format": FORMAT + 1, "model": "of the future"}))
    restate(folder)
    with pytest.raises(
        RunError, match=rf"format {FORMAT + 1}; this striate reads format {FORMAT}. Update striate"
    ):
        load_run(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "lesson"},
        {"model": "unknown"},
        {"classes": ["a", "b"]},
        {"classes": None},
        {"preparation": {}},
        {"preparation": None},
        {"kept_epoch": 2},
        {"kept_epoch": 0},
        {"kept_epoch": None},
        {"label_type": "colour"},
    ],
)
def test_a_model_file_that_does_not_fit_the_rest_is_refused_in_words(folder: Path, change: dict) -> None:
    about = json.loads((folder / MODEL).read_text())
    (folder / MODEL).write_text(json.dumps({**about, **change}))
    restate(folder)
    with pytest.raises(StriateError):
        striate.Classifier.load(folder)


def test_a_run_without_a_label_type_calls_its_classes_by_text(folder: Path) -> None:
    about = json.loads((folder / MODEL).read_text())
    del about["label_type"]
    (folder / MODEL).write_text(json.dumps(about))
    restate(folder)
    assert striate.Classifier.load(folder).classes_.tolist() == list("0123456789")


def test_loading_leaves_torchs_generator_and_the_folder_alone(folder: Path) -> None:
    before = {path: sha256_of(path) for path in folder.rglob("*") if path.is_file()}
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    load_run(folder)
    assert torch.equal(state, torch.random.get_rng_state())
    assert {path: sha256_of(path) for path in folder.rglob("*") if path.is_file()} == before


def test_the_manifest_comes_last(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    rename = Path.replace

    def renamed(path: Path, target: Path) -> Path:
        written.append(target.name)
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", renamed)
    copy_of(folder, tmp_path / "copy")
    assert set(written) == {*FILES, MANIFEST}
    assert written[-1] == MANIFEST


def test_a_cross_validation_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "fold-1").mkdir()
    with pytest.raises(RunError, match=r"holds a cross-validation, a run a fold: name one, such as .*fold-1"):
        load_run(tmp_path)
