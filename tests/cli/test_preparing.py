"""What becomes of pictures on their way to the network: streamed, windowed, animations; the run keeps it."""

import json
from pathlib import Path

import pytest
from PIL import Image

import striate
from doors import picture, refused, striate_here, train, try_to_train


def test_a_streamed_run_has_the_same_weights(tmp_path: Path, shapes: Path) -> None:
    train(shapes, tmp_path / "packed")
    train(shapes, tmp_path / "streamed", "--stream")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("packed", "streamed")]
    assert weights[0] == weights[1]
    assert striate_here("evaluate", tmp_path / "streamed").code == 0


def test_a_streamed_run_goes_on_exactly_where_it_stopped(tmp_path: Path, shapes: Path) -> None:
    recipe = striate.Recipe(model="mlp", epochs=3, batch_size=4)
    whole = striate.Classifier(recipe).fit(striate.load_images(shapes), out=tmp_path / "whole")
    asked = iter([False] * 6 + [True])
    with pytest.raises(striate.Interrupted):
        striate.Classifier(recipe).fit(
            striate.load_images(shapes), out=tmp_path / "run", stream=True, stop=lambda: next(asked)
        )
    striate.Classifier(recipe).fit(
        striate.load_images(shapes), out=tmp_path / "run", stream=True, resume=True
    )
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "run")]
    assert weights[0] == weights[1]
    assert whole.evaluate().accuracy == striate.Classifier.load(tmp_path / "run").evaluate().accuracy


def test_animations_are_said_to_be_read_by_their_first_frame(tmp_path: Path, shapes: Path) -> None:
    frames = [Image.fromarray(picture(1, number)) for number in range(3)]
    frames[0].save(shapes / "striped" / "moving.gif", save_all=True, append_images=frames[1:])
    outcome = train(shapes, tmp_path / "run")
    assert "1 pictures are animations, such as striped/moving.gif: the first frame is taken." in outcome.err
    looked = striate_here("data", "inspect", shapes, "--no-sheets")
    assert "1 are animations; the first frame of each is taken" in looked.out


@pytest.mark.parametrize(
    ("setting", "words"),
    [("window=lugn", "did you mean lung?"), ("patch=64", "a patch of 64 × 64 does not fit in 12 × 12")],
)
def test_pictures_that_cannot_be_prepared_so(tmp_path: Path, shapes: Path, setting: str, words: str) -> None:
    refused(try_to_train(shapes, tmp_path / "run", "--set", setting), 2, words)
    refused(striate_here("data", "pack", shapes, "--set", setting), 2, words)


def test_a_window_of_one_s_own_travels_with_the_run(tmp_path: Path, shapes: Path) -> None:
    train(shapes, tmp_path / "run", "--set", "window=100/120")
    preparation = json.loads((tmp_path / "run" / "model.json").read_text())["preparation"]
    assert (preparation["window"], preparation["depth"]) == ("100/120", "uint16")
    loaded = striate.Classifier.load(tmp_path / "run")
    answer = loaded.predict_one(shapes / "dark" / "000.png")
    row = json.loads(striate_here("predict", tmp_path / "run", shapes / "dark" / "000.png", "--json").out)
    assert row["probabilities"] == answer.probabilities
