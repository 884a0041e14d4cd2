"""timm is optional: without it, one sentence and the command that installs it."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import striate
from striate import StriateError
from striate.cli import app
from striate.files import sha256_of
from striate.models import zoo

WORDS = "Networks called timm:NAME need timm, which is not installed: pip install 'striate[zoo]'"


@pytest.fixture(autouse=True)
def without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.timm.cache_clear()
    zoo.zoo_entry.cache_clear()
    monkeypatch.setitem(sys.modules, "timm", None)


def test_a_name_of_timms_says_what_to_install() -> None:
    for ask in (lambda: striate.model_entry("timm:resnet18"), lambda: zoo.timm_weights("timm:resnet18")):
        with pytest.raises(StriateError) as raised:
            ask()
        assert str(raised.value) == WORDS


@pytest.mark.parametrize(
    "asked",
    [["models", "timm:resnet18"], ["train", "digits", "--model", "timm:resnet18"],
     ["train", "digits", "--weights", "timm:resnet18"]],
)  # fmt: skip
def test_the_command_line_says_so(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, asked)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"striate: {WORDS}")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_a_run_of_timms_says_so(digits_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(digits_run, folder)
    about = json.loads((folder / "model.json").read_text()) | {"model": "timm:resnet18"}
    (folder / "model.json").write_text(json.dumps(about))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["model.json"] = sha256_of(folder / "model.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = CliRunner().invoke(app, ["evaluate", str(folder)])
    assert (result.exit_code, result.stderr) == (1, f"striate: {WORDS}\n")


def test_a_timm_that_cannot_be_used_is_another_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.delitem(sys.modules, "timm")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        StriateError, match=r"timm is installed and cannot be used \(operator torchvision::nms does"
    ):
        zoo.timm()
