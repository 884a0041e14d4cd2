"""What can be asked of a network: methods with why they are refused, stages with what a cell sees, the work."""

from functools import cache

import numpy as np
import pytest

import striate
from striate.explanation import METHODS


@cache
def fitted(model: str) -> striate.Classifier:
    """A network on 32 × 32 pictures, barely trained."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 32), dtype=np.uint8)
    return striate.Classifier(striate.Recipe(model=model, epochs=1, batch_size=8)).fit(
        pixels, ["a", "b"] * 12
    )


@pytest.mark.parametrize("model", ["compact", "mlp", "lenet5_1998"])
def test_what_is_refused_is_what_explain_refuses(model: str) -> None:
    """Every method is either explained or refused with the reason that is listed."""
    classifier = fitted(model)
    choices = striate.explanation_choices(classifier)
    assert [one.name for one in choices.methods] == list(METHODS)
    picture = np.zeros((32, 32), np.uint8)
    for one in choices.methods:
        if one.refused is None:
            reason = classifier.explain(picture, method=one.name)
            assert (reason.about.signed, reason.stage is not None) == (one.signed, one.of_stage)
        else:
            with pytest.raises(
                striate.ModelError, match=r"cannot be right|no stage of this network makes any"
            ):
                classifier.explain(picture, method=one.name)
    if model == "lenet5_1998":
        assert any(one.refused and "ReLU" in one.refused for one in choices.methods)
    assert {stage.name: stage.maps for stage in choices.stages}.keys() <= set(classifier.network_.stages)


def test_stages_and_work_are_those_of_the_network() -> None:
    """The stages of compact, the default one, what its cells see, and the work by the network's own count."""
    classifier = fitted("compact")
    choices = striate.explanation_choices(classifier)
    summary = striate.summarize(classifier.network_, (1, 32, 32))
    assert [stage.name for stage in choices.stages] == ["stem", "stage1", "stage2", "stage3"]
    assert choices.stage == classifier.explain(np.zeros((32, 32), np.uint8)).stage
    for stage in choices.stages:
        last = [row for row in summary.rows if row.stage == stage.name][-1]
        assert (stage.maps, stage.sees) == (last.output_shape, last.receptive_field)
    assert choices.work("saliency") == 3 * summary.multiply_adds
    assert choices.work("smooth_grad", {"samples": 4}) == 12 * summary.multiply_adds


def test_a_picture_that_was_read_is_explained_as_its_bytes_are() -> None:
    """`explain` takes what `read_picture` gives."""
    classifier = fitted("compact")
    content = b"P5 20 18 255 " + bytes(range(180)) * 2
    picture = striate.read_picture(content)
    one, other = classifier.explain(content), classifier.explain(picture)
    assert np.array_equal(one.map, other.map)
    assert (one.digest, one.answer.probabilities) == (other.digest, other.answer.probabilities)
    assert other.source == "picture"


def test_options_are_read_as_the_command_line_reads_them() -> None:
    """Kinds of values, and the words for what is none."""
    assert striate.explanation_options("occlusion", ["window=3,5", "measure=logit"]) == {
        "window": (3, 5),
        "measure": "logit",
    }
    with pytest.raises(striate.ModelError, match="There is no method 'cam'"):
        striate.explanation_options("cam", [])
    with pytest.raises(striate.UsageError, match="has no option 'windows'; did you mean window"):
        striate.explanation_options("occlusion", ["windows=3"])
