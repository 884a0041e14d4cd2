"""What a service asks of a run: both engines say what `predict_one` says, together or alone, decisions included."""

import sys
from pathlib import Path

import numpy as np
import pytest

import striate
from doors import picture
from striate.classifier import responding
from striate.classifier.responding import made_up, refuse_what_takes_torch, served_file
from striate.errors import ModelError, StriateError, UsageError

PICTURES = [picture(number % 3, number, 9 + number) for number in range(24)]


@pytest.fixture(scope="module")
def classifier(pictures_run: Path) -> striate.Classifier:
    decided = striate.Classifier.load(pictures_run)
    decided.decide(operate=("dark: sensitivity>=0.5",), abstain="coverage>=0.8", sureness="energy", sets=0.5)
    return decided


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
def test_together_or_alone_the_answers_are_those_of_predict_one(
    classifier: striate.Classifier, engine: str
) -> None:
    responder = classifier.responder(engine)
    assert responder.engine == engine
    pairs = [("array", responder.prepare(one)) for one in PICTURES]
    together = responder.answers(pairs)
    alone = [responder.answers([one])[0] for one in pairs]
    known = [classifier.predict_one(one) for one in PICTURES]
    if engine == "torch":
        assert together == alone == known
    for found in (together, alone):
        for one, same in zip(found, known, strict=True):
            assert one.probabilities
            assert same.probabilities
            apart = [abs(one.probabilities[name] - same.probabilities[name]) for name in same.probabilities]
            assert max(apart) <= 1e-6
            decided = [(x.label, x.operating, x.abstained, x.classes) for x in (one, same)]
            assert decided[0] == decided[1]
            assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert {one.abstained for one in known} == {True, False}


def test_auto_takes_onnxruntime_and_falls_back_with_the_reason(
    classifier: striate.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (classifier.responder().engine, classifier.responder().note) == ("onnxruntime", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    fallen = classifier.responder()
    assert fallen.engine == "torch"
    assert "pip install 'striate[onnx]'" in (fallen.note or "")
    with pytest.raises(StriateError, match="onnxruntime is not installed"):
        classifier.responder("onnxruntime")


def test_a_graph_that_says_something_else_is_not_taken(
    classifier: striate.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = responding.ask_served(served_file(classifier))
    monkeypatch.setattr(responding, "ask_served", lambda path: lambda given: ask(given + 0.1))
    with pytest.raises(ModelError, match=r"onnxruntime's probabilities lie .* from torch's"):
        classifier.responder("onnxruntime")
    assert "lie" in (classifier.responder().note or "")


def test_abstaining_by_distances_takes_torch(pictures_run: Path) -> None:
    decided = striate.Classifier.load(pictures_run)
    decided.decide(abstain="coverage>=0.8", sureness="mahalanobis")
    with pytest.raises(ModelError, match="only torch works out"):
        refuse_what_takes_torch(decided.predictor_)
    responder = decided.responder()
    assert responder.engine == "torch"
    pixels = responder.prepare(PICTURES[0])
    assert responder.answers([("array", pixels)])[0] == decided.predict_one(PICTURES[0])


def test_another_engine(classifier: striate.Classifier) -> None:
    with pytest.raises(UsageError, match="did you mean onnxruntime"):
        classifier.responder("onnxruntim")


def test_a_graph_is_written_once(classifier: striate.Classifier) -> None:
    path = served_file(classifier)
    before = path.stat().st_mtime_ns
    assert served_file(classifier) == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("depth", ["uint8", "uint16", "int16", "float32"])
def test_made_up_pictures_are_in_the_range_of_training(depth: str) -> None:
    units = {"mean": (0.01,), "std": (0.02,)} if depth == "int16" else {"mean": (0.4,), "std": (0.2,)}
    preparation = striate.Preparation(height=9, width=7, channels=1, depth=depth, **units)  # pyright: ignore[reportArgumentType]
    pixels = made_up(preparation)
    scale, offset = preparation.affine()
    seen = pixels * scale + offset
    assert pixels.dtype == depth
    assert pixels.shape == (4, 9, 7, 1)
    assert -2.1 < seen.min() < -1.5
    assert 1.5 < seen.max() < 2.1
    assert np.array_equal(pixels, made_up(preparation))
