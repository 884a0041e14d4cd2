"""scikit-learn's contract, kept: construct, fit, predict, score, clone, search."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from small_task import QUICK, Arrays, same_weights, weights

import striate
from striate import Classifier, Recipe


def test_parameters_are_got_set_and_cloned() -> None:
    classifier = Classifier(QUICK)
    assert is_classifier(classifier)
    assert classifier.get_params() == {"recipe": QUICK, "network": None}
    assert classifier.set_params(recipe=Recipe(epochs=7)).recipe == Recipe(epochs=7)
    twin = clone(classifier)
    assert twin is not classifier
    assert twin.get_params() == classifier.get_params()
    assert not hasattr(twin, "classes_")
    assert Classifier().get_params() == {"recipe": None, "network": None}
    with pytest.raises(ValueError, match="Invalid parameter 'epochs'"):
        classifier.set_params(epochs=3)


def test_the_constructor_only_stores() -> None:
    assert vars(Classifier(QUICK)) == {"recipe": QUICK, "network": None}


def test_a_fitted_one_clones_to_an_unfitted_one_that_fits_to_the_same(
    digits: Arrays, fitted: Classifier
) -> None:
    X, y = digits
    before = weights(fitted)
    twin = clone(fitted)
    with pytest.raises(NotFittedError):
        twin.predict(X)
    assert twin.fit(X[:300], y[:300]) is twin
    assert same_weights(twin, fitted)
    assert all(np.array_equal(before[name], value) for name, value in weights(fitted).items())


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "predict_one", "evaluate", "save"])
def test_what_needs_a_fit_says_so(digits: Arrays, tmp_path: Path, method: str) -> None:
    X, y = digits
    given = {
        "score": (X, y),
        "evaluate": (X, y),
        "save": (tmp_path / "run",),
        "predict_one": (X[0].astype(np.uint8),),
    }
    with pytest.raises(NotFittedError, match="call fit"):
        getattr(Classifier(QUICK), method)(*given.get(method, (X,)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_cross_validation(digits: Arrays, kind: type) -> None:
    X, y = digits
    X = (X * (255 / 16)).astype(kind)
    scores = cross_val_score(Classifier(QUICK.changed(epochs=8)), X, y, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert scores.min() > 0.6


@pytest.mark.slow
def test_grid_search_over_recipes(digits: Arrays) -> None:
    X, y = digits
    recipes = [QUICK.changed(learning_rate=rate) for rate in (1e-9, 2e-3)]
    search = GridSearchCV(
        Classifier(), {"recipe": recipes}, cv=2, scoring=["accuracy", "neg_log_loss"], refit="accuracy",
        error_score="raise",
    ).fit(X[:200], y[:200])  # fmt: skip
    assert search.best_params_ == {"recipe": recipes[1]}
    assert np.isfinite(search.cv_results_["mean_test_neg_log_loss"]).all()
    assert search.predict(X[200:]).shape == (200,)


def test_predict_predict_proba_and_score_agree(digits: Arrays, fitted: Classifier) -> None:
    X, y = digits
    chances = fitted.predict_proba(X)
    assert chances.shape == (400, 10)
    assert chances.dtype == np.float64
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-12)
    predicted = fitted.predict(X)
    assert np.array_equal(predicted, fitted.classes_[chances.argmax(axis=1)])
    assert fitted.score(X, y) == accuracy_score(y, predicted)
    heavy = np.where(y == 3, 5.0, 1.0)
    assert fitted.score(X, y, heavy) == accuracy_score(y, predicted, sample_weight=heavy)


def named(y: np.ndarray, kind: str) -> np.ndarray:
    words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    return {
        "int64": y,
        "uint8": y.astype(np.uint8),
        "negative": y - 5,
        "float": y * 1.0,
        "bool": y > 4,
        "text": words[y],
        "numbers as text": (y + 5).astype(str),
        "object": words[y].astype(object),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "negative",
        "bool",
        "numbers as text",
        "object",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("int64", "uint8", "float", "text")),
    ],
)
def test_classes_keep_their_type_and_scikit_learns_order(digits: Arrays, tmp_path: Path, kind: str) -> None:
    X, y = digits[0], named(digits[1], kind)
    classifier = Classifier(QUICK).fit(X[:200], y[:200])
    assert np.array_equal(classifier.classes_, np.unique(y))
    assert classifier.classes_.dtype.kind == ("U" if y.dtype == object else y.dtype.kind)
    chances, predicted = classifier.predict_proba(X), classifier.predict(X)
    assert classifier.score(X, y) == accuracy_score(y.tolist(), predicted.tolist())
    assert classifier.score(X, y) > 0.3  # columns and names belong together
    classifier.save(tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    assert np.array_equal(loaded.classes_, classifier.classes_)
    assert np.array_equal(loaded.predict(X), predicted)
    assert loaded.score(X, y) == classifier.score(X, y)
    truth = np.searchsorted(classifier.classes_, y)
    assert loaded.evaluate(X[200:], y[200:]).log_loss.value == pytest.approx(
        log_loss(truth[200:], chances[200:], labels=range(len(classifier.classes_)))
    )


def test_a_run_trained_from_a_folder_scores_arrays_with_labels_of_any_type(digits_run: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X = np.rint(X.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    classifier = Classifier.load(digits_run)
    assert classifier.classes_.tolist() == list("0123456789")
    assert classifier.score(X, y) == classifier.score(X, y.astype(str)) > 0.3
    assert classifier.score(striate.load_images("digits")) == classifier.score(X, y)
