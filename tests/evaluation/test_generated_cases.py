"""The whole verdict of 1,000 generated cases against scikit-learn: equal where it is defined, else None and why."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from jaxtyping import config as jaxtyping
from sklearn import config_context
from sklearn import metrics as reference
from sklearn.utils import validation

from striate.evaluation import judge, metrics, partial_auc, reliability, resampling
from striate.evaluation.decisions import abstention
from striate.evaluation.intervals import Number
from striate.evaluation.partial_auc import partial_auc as mean_specificity
from striate.evaluation.verdict import RATES, ClassVerdict, Verdict

SEEDS, EACH = 40, 25
CLOSE = 1e-12
WHY = {
    "precision": "no image was called so",
    "recall": "no image of this class",
    "specificity": "no image outside this class",
    "npv": "every image was called so",
    "f1": "no image is of this class or called so",
    "auc": "needs images inside and outside the class",
    "average_precision": "no image of this class",
}


@dataclass(frozen=True)
class Case:
    """Truth, probabilities, and what scikit-learn is given besides."""

    truth: np.ndarray
    probabilities: np.ndarray

    @property
    def labels(self) -> list[int]:
        return list(range(self.probabilities.shape[1]))

    @property
    def predicted(self) -> np.ndarray:
        return self.probabilities.argmax(axis=1)

    @property
    def exact(self) -> np.ndarray:
        """The same numbers in double precision: scikit-learn sums those of float32 in float32."""
        return self.probabilities.astype(np.float64)


def generated(generator: np.random.Generator) -> Case:
    """Any number of images and classes; truth and probabilities each of one of several difficult kinds."""
    classes = int(generator.choice(np.arange(2, 13), p=np.array([6, 6, 4, 3, 3, 3, 2, 1, 1, 1, 1]) / 31))
    n = int(generator.choice([1, 2, 3, generator.integers(4, 40), generator.integers(40, 190)]))
    common = np.full(n, generator.integers(classes))
    rare = np.where(np.arange(n) == n - 1, generator.integers(classes), common)
    some = generator.choice(generator.permutation(classes)[: generator.integers(1, classes + 1)], n)
    truth = [
        common,
        rare,
        some,
        generator.integers(0, classes, n),
        generator.permutation(np.arange(n) % classes),
    ][int(generator.choice(5, p=[0.08, 0.25, 0.27, 0.22, 0.18]))]
    levels = int(generator.choice([1, 2, 4, 1_000_000]))
    weights = generator.integers(1, levels + 1, (n, classes)).astype(float)
    helped = weights + levels * generator.random() * (truth[:, None] == np.arange(classes))
    constant = np.repeat(weights[:1], n, axis=0)
    sure = (np.arange(classes) == generator.integers(0, classes, (n, 1))).astype(float)
    kind = int(generator.choice(4, p=[0.35, 0.45, 0.1, 0.1]))
    chosen = [weights, helped, constant, sure][kind]
    probabilities = chosen / chosen.sum(axis=1, keepdims=True)
    return Case(truth, probabilities.astype(generator.choice([np.float32, np.float64])))


def cases(seed: int) -> Iterator[Case]:
    generator = np.random.default_rng(seed)
    return (generated(generator) for _ in range(EACH))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few resamples, as values do not depend on them; types unchecked, as other tests check them; no warnings."""
    monkeypatch.setattr(jaxtyping, "jaxtyping_disable", True)
    monkeypatch.setattr(validation, "_nw_into_df_or_series", lambda _: False, raising=False)
    monkeypatch.setattr(resampling, "RESAMPLES", 20)
    monkeypatch.setattr(resampling, "MOST_DRAWS", 1)
    monkeypatch.setattr(abstention, "RESAMPLES", 3)
    monkeypatch.setattr(reliability, "_spread", lambda *_: (0.1, 0.1))
    monkeypatch.setattr(partial_auc, "RESAMPLES", 20)
    with warnings.catch_warnings(), config_context(skip_parameter_validation=True, assume_finite=True):
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_number_is_scikit_learns(seed: int) -> None:
    for number, case in enumerate(cases(seed)):
        verdict = judge(case.truth, case.probabilities, [f"class {index}" for index in case.labels])
        try:
            check_whole(verdict, case)
            check_averages(verdict, case, ("macro", "weighted")[number % 2])
            check_classes(verdict, case)
            check_areas(verdict, case, chosen=np.unique((number + np.arange(3)) % len(case.labels)))
            check_one_vs_one(verdict, case)
            check_curves(verdict, case, chosen=number % len(case.labels))
            check_json(verdict)
        except AssertionError as error:
            error.add_note(f"case {number} of seed {seed}: {case}")
            raise


def check_whole(verdict: Verdict, case: Case) -> None:
    truth, predicted, labels = case.truth, case.predicted, case.labels
    matrix = reference.confusion_matrix(truth, predicted, labels=labels)
    assert np.array_equal(verdict.confusion_matrix, matrix)
    same(verdict.accuracy, reference.accuracy_score(truth, predicted))
    same(verdict.balanced_accuracy, reference.balanced_accuracy_score(truth, predicted))
    if len(labels) > 5:  # scikit-learn takes the last of equals first, so it is given the classes in reverse
        assert verdict.top5 is not None
        mirrored = case.exact[:, ::-1]
        same(verdict.top5, reference.top_k_accuracy_score(labels[-1] - truth, mirrored, k=5, labels=labels))
    else:
        assert verdict.top5 is None
    least = np.finfo(case.probabilities.dtype).eps
    stated = np.maximum(case.exact, least)
    same(verdict.log_loss, reference.log_loss(truth, stated, labels=labels))
    assert verdict.brier is not None
    expected = reference.brier_score_loss(truth, case.exact, labels=labels, scale_by_half=False)
    same(verdict.brier.score, expected)


def check_averages(verdict: Verdict, case: Case, average: str) -> None:
    truth, predicted, present = case.truth, case.predicted, np.unique(case.truth)
    expected = reference.precision_recall_fscore_support(
        truth, predicted, labels=present, average=average, zero_division=0
    )
    for name, value in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        same(getattr(verdict.scores, f"{average}_{name}"), value)
    silent = np.setdiff1d(present, predicted)
    for name in ("macro_precision", "weighted_precision"):  # what scikit-learn counts as 0 is never silent
        said = getattr(verdict.scores, name).reason or ""
        assert ("counts as 0" in said) == bool(len(silent))
    assert ("without images" in (verdict.scores.macro_f1.reason or "")) == (len(present) < len(case.labels))
    same(verdict.accuracy, reference.f1_score(truth, predicted, average="micro"))
    same(verdict.scores.kappa, reference.cohen_kappa_score(truth, predicted, labels=case.labels))
    if len(present) == 1 or len(np.unique(predicted)) == 1:  # scikit-learn's 0
        same(verdict.scores.matthews, float("nan"), "truth or prediction is always the same class")
    else:
        same(verdict.scores.matthews, reference.matthews_corrcoef(truth, predicted))


def check_classes(verdict: Verdict, case: Case) -> None:
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        case.truth, case.predicted, labels=case.labels, zero_division=np.nan
    )
    matrix = reference.confusion_matrix(case.truth, case.predicted, labels=case.labels)
    for index, one in enumerate(verdict.per_class):
        false_positives = matrix[:, index].sum() - matrix[index, index]
        false_negatives = matrix[index].sum() - matrix[index, index]
        true_negatives = matrix.sum() - matrix[index].sum() - false_positives
        assert one.support == support[index]
        same(one.precision, precision[index], WHY["precision"])
        same(one.recall, recall[index], WHY["recall"])
        same(one.f1, f1[index], WHY["f1"])
        same(one.specificity, ratio(true_negatives, false_positives), WHY["specificity"])
        same(one.npv, ratio(true_negatives, false_negatives), WHY["npv"])
        check_complements(one)


def check_complements(one: ClassVerdict) -> None:
    said = one.to_dict()
    for rate, other in (("recall", "false_negative_rate"), ("specificity", "false_positive_rate")):
        value = getattr(one, rate).value
        assert said[other] == (None if value is None else 1 - value)


def check_areas(verdict: Verdict, case: Case, chosen: np.ndarray) -> None:
    for index in chosen.tolist():
        one, inside, scores = verdict.per_class[index], case.truth == index, case.probabilities[:, index]
        area = precision = float("nan")
        if inside.any():
            precision = reference.average_precision_score(inside, scores)
            area = float("nan") if inside.all() else reference.roc_auc_score(inside, scores)
        same(one.auc, area, WHY["auc"])
        same(one.average_precision, precision, WHY["average_precision"])


def check_one_vs_one(verdict: Verdict, case: Case) -> None:
    present = np.unique(case.truth)
    if len(present) < 2:
        same(verdict.one_vs_one, float("nan"), "needs images of two classes")
    elif 2 < len(present) == len(case.labels) < 7:  # more classes are test_ranking's
        same(verdict.one_vs_one, reference.roc_auc_score(case.truth, case.exact, multi_class="ovo"))
    elif len(present) < 4:
        same(verdict.one_vs_one, pairs_of(case, present))


def pairs_of(case: Case, present: np.ndarray) -> float:
    """Hand and Till's mean over the classes that have images, each area scikit-learn's."""
    areas = []
    for one in present:
        for other in present[present != one]:
            rows = np.isin(case.truth, [one, other])
            areas.append(reference.roc_auc_score(case.truth[rows] == one, case.probabilities[rows, one]))
    return float(np.mean(areas))


def check_curves(verdict: Verdict, case: Case, chosen: int) -> None:
    inside, scores = case.truth == chosen, case.probabilities[:, chosen]
    one, width = verdict.per_class[chosen], 0.25
    part = mean_specificity(scores, inside, 1 - width)
    if inside.all() or not inside.any():
        assert (one.roc, one.precision_recall) == (None, None)
        same(part, float("nan"), WHY["auc"])
        return
    assert one.roc is not None
    assert one.precision_recall is not None
    alarms, hits, _ = reference.roc_curve(inside, scores, drop_intermediate=False)
    assert one.roc.false_positive_rate == pytest.approx(alarms, abs=CLOSE)
    assert one.roc.true_positive_rate == pytest.approx(hits, abs=CLOSE)
    precision, recall, _ = reference.precision_recall_curve(inside, scores)
    assert one.precision_recall.recall[1:] == pytest.approx(recall[:-1][::-1], abs=CLOSE)
    assert one.precision_recall.precision[1:] == pytest.approx(precision[:-1][::-1], abs=CLOSE)
    scaled, least = reference.roc_auc_score(~inside, -scores, max_fpr=width), width**2 / 2
    same(part, ((2 * scaled - 1) * (width - least) + least) / width)  # McClish's scale, undone


def check_json(verdict: Verdict) -> None:
    """No NaN, and beside every null a reason: of each number, and of each rate of a class."""
    said = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    for number in numbers_in(said):
        assert None not in (number["value"], number["low"], number["high"]) or number["reason"]
    for one in said["per_class"]:
        for name in RATES:
            assert (None in (one[name], *one["intervals"][name])) == (name in one["undefined"])
        assert all(one["undefined"].values())


def numbers_in(said: object) -> Iterator[dict]:
    if isinstance(said, dict):
        if "value" in said and "low" in said:
            yield said
        for part in said.values():
            yield from numbers_in(part)
    elif isinstance(said, list):
        for part in said:
            yield from numbers_in(part)


def ratio(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else float("nan")


def same(number: Number, expected: float, reason: str | None = None) -> None:
    """Equal within 1e-12, or None with its reason where scikit-learn says NaN; an interval around every value."""
    if np.isnan(expected):
        assert (number.value, number.low, number.high) == (None, None, None)
        assert number.reason
        assert reason in (None, number.reason)
        return
    assert number.value is not None
    assert abs(number.value - expected) <= CLOSE, (number.value, expected)
    if number.low is None or number.high is None:
        assert number.reason
    else:
        assert number.low <= number.value <= number.high


def test_the_cases_are_as_difficult_as_they_are_meant_to_be() -> None:
    found = [case for seed in range(SEEDS) for case in cases(seed)]
    absent = [case for case in found if len(np.unique(case.truth)) < len(case.labels)]
    ties = [case for case in found if len(np.unique(case.probabilities[:, 0])) < len(case.truth)]
    shares = [np.bincount(case.truth).max() / len(case.truth) for case in found if len(case.truth) > 20]
    assert len(found) >= 1000
    assert min(len(absent), len(ties)) > 300
    assert sum(len(case.truth) == 1 for case in found) > 100
    assert sum(len(np.unique(case.truth)) == 1 for case in found) > 100
    assert sum(0.9 < share < 1 for share in shares) > 50
    assert {len(case.labels) for case in found} == set(range(2, 13))
    assert {str(case.probabilities.dtype) for case in found} == {"float32", "float64"}


def test_no_image_is_no_number_but_reasons() -> None:
    verdict = judge(np.array([], dtype=np.int64), np.zeros((0, 6)), list("abcdef"))
    said = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    for name in ("accuracy", "balanced_accuracy", "top5", "log_loss", "one_vs_one"):
        assert said[name]["value"] is None
        assert said[name]["reason"]
    assert all(one["value"] is None and one["reason"] for one in said["scores"].values())
    assert all(set(one["undefined"]) >= set(RATES) for one in said["per_class"])


def test_float32_is_summed_in_double_precision() -> None:
    """What scikit-learn makes of float32 lies within float32's own rounding of what is said here."""
    generator = np.random.default_rng(5)
    weights = generator.random((400, 7))
    truth = generator.integers(0, 7, 400)
    rounded = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    loss, plain = metrics.log_loss(truth, rounded).value, reference.log_loss(truth, rounded, labels=range(7))
    score = reliability.brier(truth, rounded).score.value
    assert loss == pytest.approx(plain, abs=1e-6)
    expected = reference.brier_score_loss(truth, rounded.astype(np.float64), scale_by_half=False)
    assert score == pytest.approx(expected, abs=CLOSE)
