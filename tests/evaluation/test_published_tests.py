"""DeLong's variance, interval and test on published data with their published results, and McNemar's test."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from striate.evaluation.comparing.paired import Agreement, mcnemar
from striate.evaluation.comparing.paired_auc import auc_difference, placements_of, variance_of
from striate.evaluation.one_vs_one import one_vs_one_auc
from striate.evaluation.roc import roc_auc

# 113 patients with an aneurysmal subarachnoid haemorrhage, 41 of poor outcome: Turck et al. 2010, Intensive Care
# Medicine 36:107, as the data set aSAH of R's pROC has them. The WFNS grade is 1 to 5, hence full of ties.
OUTCOME = """
0 0 0 0 1 1 0 1 0 0 1 0 1 1 0 0 1 0 1 1 1 0 1 0 0 0 0 0 0 0 0 0 1 0 0 1 1 0 1 1 0 0 0 0 0 0 0 0 0 1 1 0 0 0 1 0
0 0 1 0 1 0 0 1 1 1 0 1 1 0 1 1 1 1 0 0 0 1 1 0 1 0 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0 1 1 1 1 1 1 0 0 0 1 0 0 0
"""
GRADE = """
1 1 1 1 3 2 5 4 1 2 5 2 5 5 1 2 5 2 2 5 2 1 1 1 1 2 1 2 1 1 3 4 2 1 4 5 4 1 4 2 5 5 1 1 2 4 1 1 2 5 5 2 1 2 5 1
2 2 2 1 5 1 1 2 5 2 1 4 5 2 4 4 1 4 1 2 1 4 2 1 2 3 2 4 2 1 4 5 1 1 5 4 2 2 1 1 1 3 1 2 5 2 2 5 5 5 2 4 4 5 1 1 1
"""
S100B = """
.13 .14 .10 .04 .13 .10 .47 .16 .18 .10 .12 .10 .44 .71 .04 .08 .49 .04 .07 .33 .09 .09 .07 .11 .07 .17 .07 .11 .13
.19 .05 .16 .41 .14 .34 .35 .48 .09 .96 .25 .50 .46 .16 .07 .43 .45 .11 .08 .09 .86 .52 .08 .06 .13 2.07 .10 .14 .15
.07 .06 .77 .05 .09 .30 .03 .09 .04 .23 .70 .09 .27 .71 .08 .26 .08 .16 .09 .13 .10 .08 .11 .33 .11 .28 .07 .10 .32
.22 .07 .05 .24 .38 .10 .15 .08 .14 .10 .07 .04 .19 .56 .14 .58 .32 .82 .74 .15 .47 .17 .44 .15 .50 .48
"""
NDKA = """
3.01 8.54 8.09 10.42 17.4 12.75 6.0 13.2 15.54 6.01 15.96 17.86 5.18 8.9 13.41 20.75 11.6 16.11 32.37 54.82 32.41
49.94 40.34 9.47 6.29 12.53 6.54 6.3 80.3 12.8 9.8 9.81 9.85 18.21 5.03 14.04 21.93 8.02 7.42 8.38 6.59 9.63 13.12
7.96 14.34 41.43 7.63 7.06 12.59 13.56 3.87 9.44 7.66 12.98 419.19 27.19 22.27 9.95 21.22 11.73 10.4 58.83 6.39 11.09
12.22 13.67 17.21 22.63 12.9 9.7 21.57 8.23 72.57 15.54 10.51 10.6 14.57 5.19 9.63 4.61 21.48 17.3 12.71 9.44 11.07
19.46 10.83 5.37 11.97 7.75 9.83 10.55 28.49 8.53 12.57 12.9 46.83 11.68 12.67 9.01 9.57 34.06 11.72 14.26 47.61 11.67
24.58 10.33 13.87 15.89 22.43 6.79 13.45
"""
INSIDE = np.array(OUTCOME.split()) == "1"
MARKERS = {
    name: np.array(text.split(), dtype=float)
    for name, text in (("wfns", GRADE), ("s100b", S100B), ("ndka", NDKA))
}
# The results that pROC holds itself to: tests/testthat/test-auc.R, test-var.R, test-ci.auc.R and test-roc.test.R.
VARIANCES = {"wfns": 0.00146991470882363, "ndka": 0.0031908105493913, "s100b": 0.00266868245717244}
AREAS = {"wfns": 0.823678861788618, "ndka": 0.611957994579946}
TESTS = (
    ("wfns", "s100b", 2.20898359144091, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
    ("wfns", "ndka", 2.79777591868904, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
    ("ndka", "s100b", -1.39077002573558, 0.164295175223054, -0.2876917446341914, 0.0488706064228094),
)


@pytest.mark.parametrize("name", VARIANCES)
def test_delongs_variance_is_the_published_one(name: str) -> None:
    assert (len(INSIDE), int(INSIDE.sum())) == (113, 41)
    scores = MARKERS[name]
    found = roc_auc(scores[INSIDE], scores[~INSIDE])
    assert variance_of(placements_of(scores, INSIDE), INSIDE, None) == pytest.approx(
        VARIANCES[name], rel=1e-12
    )
    if name in AREAS:
        assert found.value == pytest.approx(AREAS[name], rel=1e-12)
    # the interval holds the same variance, on the scale of the logit
    reach = norm.ppf(0.975) * VARIANCES[name] ** 0.5 / (found.value * (1 - found.value))
    logits = np.log(np.array([found.low, found.high]) / (1 - np.array([found.low, found.high])))
    assert np.ptp(logits) / 2 == pytest.approx(reach, rel=1e-9)


def test_one_against_one_of_two_classes_has_it_too() -> None:
    first = MARKERS["ndka"] / 500
    found = one_vs_one_auc(INSIDE.astype(int), np.column_stack([1 - first, first]))
    assert found.value == pytest.approx(AREAS["ndka"], rel=1e-12)


@pytest.mark.parametrize(("first", "second", "z", "p", "low", "high"), TESTS)
def test_delongs_comparison_is_the_published_one(
    first: str, second: str, z: float, p: float, low: float, high: float
) -> None:
    found = auc_difference(MARKERS[second], MARKERS[first], INSIDE)  # pROC's first minus its second
    assert found.p == pytest.approx(p, rel=1e-9)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), rel=1e-9)
    spread = (found.difference.high - found.difference.low) / (2 * norm.ppf(0.975))
    assert found.difference.value / spread == pytest.approx(z, rel=1e-9)


@pytest.mark.parametrize(("less", "more"), [(0, 0), (1, 7), (6, 16), (16, 6), (5, 5), (0, 9), (121, 59)])
def test_mcnemar_is_statsmodels(less: int, more: int) -> None:
    """statsmodels.stats.contingency_tables.mcnemar(exact=True): twice the binomial tail of the fewer, at most 1."""
    expected = min(2 * binom.cdf(min(less, more), less + more, 0.5), 1.0)
    assert mcnemar(Agreement(30, less, more, 11)).exact == pytest.approx(expected, rel=1e-9)
