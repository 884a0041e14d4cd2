"""Paired comparison against scipy, published tables, four loops and simulation."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, bootstrap, skew

from striate.drawing.differences import chance
from striate.drawing.forest import Difference, axis, forest
from striate.errors import StriateError, UsageError
from striate.evaluation.comparing.comparison import Comparison, compare_predictions, pairs
from striate.evaluation.comparing.differences import Ground, group_differences, image_differences
from striate.evaluation.comparing.paired import (
    Agreement,
    flip_p,
    holm,
    mcnemar,
    score_difference,
    score_limits,
)
from striate.evaluation.comparing.paired_auc import auc_difference
from striate.evaluation.reporting.comparison_page import Disagreement, Origin, Said, render_comparison
from striate.evaluation.reporting.comparison_text import comparison_text
from striate.evaluation.resampling import _acceleration, resample
from striate.evaluation.roc import roc_auc
from striate.evaluation.units import numbered_groups

BENTUR = Agreement(both=1, only_reference=7, only_other=1, neither=12)
CAVO = Agreement(both=59, only_reference=16, only_other=6, neither=80)


def random_task(
    images: int = 120, classes: int = 3, seed: int = 0
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, images)
    said = {}
    for name, skill in (("weak", 0.6), ("strong", 2.0)):
        logits = generator.normal(size=(images, classes)) + skill * (truth[:, None] == np.arange(classes))
        said[name] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, said


# Two proportions


def test_published_tables() -> None:
    # Fagerland, Lydersen and Laake 2013 and 2014, tables of Bentur et al. 2009 and Cavo et al. 2012.
    for counts, exact, mid, limits in (
        (BENTUR, 0.0703, 0.0391, (-0.517, -0.026)),
        (CAVO, 0.052479, 0.034690, (-0.1240, -0.0054)),
    ):
        test, number = mcnemar(counts), score_difference(counts)
        assert (test.exact, test.mid) == pytest.approx((exact, mid), abs=5e-5)
        assert (number.low, number.high) == pytest.approx(limits, abs=5e-4)
        assert number.value == (counts.only_other - counts.only_reference) / counts.n


def test_tangos_limits_are_those_of_propcis() -> None:
    # PropCIs::scoreci.mp(25, 28, 618, conf.level = 0.90)
    assert score_limits(28, 25, 618, 0.90) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_tangos_limits_solve_the_score_equation(more: int, less: int, same: int) -> None:
    n = more + less + same
    if n == 0:
        assert score_difference(Agreement(0, 0, 0, 0)).value is None
        return
    number = score_difference(Agreement(same, less, more, 0))
    assert -1 <= number.low <= number.value <= number.high <= 1
    assert number.low < number.high
    mirrored = score_difference(Agreement(same, more, less, 0))
    assert (mirrored.low, mirrored.high) == pytest.approx((-number.high, -number.low), abs=1e-9)
    if more == less == 0:
        z2 = 1.959964**2
        assert number.high == pytest.approx(z2 / (n + z2), abs=1e-6)


def test_tango_by_maximising_the_likelihood_on_a_grid() -> None:
    more, less, n = 9, 4, 60
    low, _ = score_limits(more, less, n)
    share = np.linspace(1e-6, 1 - abs(low) - 1e-6, 2_000_001)
    shares = share, share - low  # P(only other) = share + low < share here, as low is negative
    other, reference = (shares[0], shares[1]) if low < 0 else (shares[1], shares[0])
    rest = 1 - other - reference
    with np.errstate(invalid="ignore", divide="ignore"):
        likelihood = more * np.log(other) + less * np.log(reference) + (n - more - less) * np.log(rest)
    best = np.nanargmax(np.where(rest > 0, likelihood, -np.inf))
    spread = np.sqrt(n * (other[best] + reference[best] - low**2))
    assert (more - less - n * low) / spread == pytest.approx(1.95996, abs=1e-3)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_scipys_binomial_test(less: int, more: int) -> None:
    test = mcnemar(Agreement(5, less, more, 5))
    if less + more == 0:
        assert (test.exact, test.mid) == (1.0, 1.0)
        return
    assert test.exact == pytest.approx(binomtest(less, less + more, 0.5).pvalue, rel=1e-9)
    n, least = less + more, min(less, more)
    mid = (
        2 * binom.cdf(least, n, 0.5) - binom.pmf(least, n, 0.5)
        if less != more
        else 1 - binom.pmf(least, n, 0.5) / 2
    )
    assert test.mid == pytest.approx(mid, rel=1e-9)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=10))
def test_flipping_whole_groups_is_every_sign_counted(differences: list[int]) -> None:
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    expected = np.mean([one >= abs(sum(differences)) for one in sums])
    assert flip_p(np.array(differences)) == pytest.approx(expected)


def test_flipping_groups_of_one_is_mcnemar() -> None:
    gains = np.array([1] * 16 + [-1] * 6 + [0] * 139)
    assert flip_p(gains) == pytest.approx(mcnemar(CAVO).exact)
    assert flip_p(np.array([30, 30, 30])) == 0.25


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, None, 0.8]) == [1.0, None, 1.0]


# Resampling


def test_bca_is_scipys() -> None:
    values = np.random.default_rng(1).exponential(size=300)
    drawn = resample(values[:, None], np.ones((300, 1)), seed=0)
    low, high = drawn.limits(0)
    reference = bootstrap(
        (values,), np.mean, n_resamples=10_000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert drawn.values[0] == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.01)
    again = resample(values[:, None], np.ones((300, 1)), seed=0)
    assert np.array_equal(drawn.draws, again.draws)
    assert not np.array_equal(drawn.draws, resample(values[:, None], np.ones((300, 1)), seed=1).draws)


def test_few_kinds_of_units_and_many_give_the_same_interval() -> None:
    values = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], p=[0.05, 0.8, 0.15], size=500)
    few = resample(values[:, None], np.ones((500, 1)), seed=0).limits(0)
    many = resample(np.column_stack([values, np.arange(500.0)]), np.ones((500, 2)), seed=0).limits(0)
    assert few == pytest.approx(many, abs=0.005)
    assert few == pytest.approx(
        score_limits((values > 0).sum().item(), (values < 0).sum().item(), 500), abs=0.01
    )


def test_the_acceleration_is_a_sixth_of_scipys_skewness() -> None:
    values = np.random.default_rng(5).exponential(size=40)
    found = resample(values[:, None], np.ones((40, 1)), seed=0)
    expected = skew(-found.left_out[:, 0]) / (6 * 40**0.5)
    assert _acceleration(found.left_out[:, 0], found.frequency) == pytest.approx(expected)
    assert expected > 0.01


def test_nothing_varies_is_no_interval() -> None:
    assert resample(np.zeros((5, 1)), np.ones((5, 1)), seed=0).limits(0) is None
    assert resample(np.ones((1, 1)), np.ones((1, 1)), seed=0).limits(0) is None


def test_the_jackknife_leaves_each_unit_out_once() -> None:
    values = np.array([1.0, 2.0, 4.0])
    found = resample(values[:, None], np.array([[1.0], [1.0], [2.0]]), seed=0)
    assert sorted(found.left_out[:, 0].tolist()) == pytest.approx(sorted([6 / 3, 5 / 3, 3 / 2]))


# Areas under the ROC curve


def delong_by_loops(scores: list[np.ndarray], inside: np.ndarray) -> tuple[list[float], float]:
    """The areas, and the variance of their difference, as DeLong et al. 1988 write them: sums over pairs."""
    x, y = [s[inside] for s in scores], [s[~inside] for s in scores]
    wins = [[[(a > b) + 0.5 * (a == b) for b in y[r]] for a in x[r]] for r in range(2)]
    areas = [float(np.mean(w)) for w in wins]
    v10 = np.array([[np.mean(row) for row in w] for w in wins])
    v01 = np.array([[np.mean([row[j] for row in w]) for j in range(len(w[0]))] for w in wins])
    s = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    return areas, float(s[0, 0] + s[1, 1] - 2 * s[0, 1])


def wins_of(score: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The share of the other kind that each image is ranked rightly against."""
    signed = np.where(inside, 1, -1)
    versus = [
        [(signed[i] * (a - b) > 0) + 0.5 * (a == b) for j, b in enumerate(score) if inside[j] != inside[i]]
        for i, a in enumerate(score)
    ]
    return np.array([np.mean(row) for row in versus])


def test_delong_by_loops_over_pairs() -> None:
    generator = np.random.default_rng(4)
    inside = generator.random(60) < 0.4
    scores = [np.round(generator.normal(size=60) + gain * inside, 1) for gain in (0.5, 1.0)]
    areas, variance = delong_by_loops(scores, inside)
    found = auc_difference(scores[0], scores[1], inside)
    assert (found.reference, found.other) == pytest.approx(areas)
    assert found.reference == pytest.approx(roc_auc(scores[0][inside], scores[0][~inside]).value)
    reach = 1.959964 * variance**0.5
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (areas[1] - areas[0] - reach, areas[1] - areas[0] + reach)
    )
    alone = auc_difference(scores[0], scores[1], inside, np.arange(60))
    assert alone.difference.high == pytest.approx(found.difference.high, abs=0.01)
    positives = int(inside.sum())
    placed = [wins_of(score, inside) for score in scores]
    gains = placed[1] - placed[0]
    spread = gains[inside].var() / positives + gains[~inside].var() / (60 - positives)
    half = (alone.difference.high - alone.difference.low) / 2
    assert half == pytest.approx(1.959964 * (spread * 60 / 59) ** 0.5)
    torn = [np.repeat(s, 4) for s in scores]
    four = auc_difference(torn[0], torn[1], np.repeat(inside, 4), np.repeat(np.arange(60), 4))
    assert (four.difference.low, four.p) == pytest.approx((alone.difference.low, alone.p))


def test_an_area_never_has_an_interval_of_zero_width() -> None:
    inside = np.array([True] * 5 + [False] * 20)
    perfect = np.where(inside, 0.9, 0.1)
    for other, p in ((perfect, 1.0), (1 - perfect, None)):
        found = auc_difference(perfect, other, inside)
        assert found.difference.low < found.difference.high
        assert found.p == p
    assert (
        auc_difference(perfect, perfect, np.zeros(25, bool)).difference.reason
        == "needs images inside and outside the class"
    )


# The whole comparison


def test_the_counts_by_loops_and_the_same_for_any_order_of_classes() -> None:
    truth, said = random_task()
    found = compare_predictions(truth, said, ("a", "b", "c"))
    one = found.pairings[0]
    right = {
        name: [int(row.argmax()) == t for row, t in zip(p, truth, strict=True)] for name, p in said.items()
    }
    cells = [(a, b) for a, b in zip(right["weak"], right["strong"], strict=True)]
    assert one.agreement == Agreement(
        cells.count((True, True)),
        cells.count((True, False)),
        cells.count((False, True)),
        cells.count((False, False)),
    )
    assert one.differences.accuracy == score_difference(one.agreement)
    assert sum(each.agreement.n for each in one.per_class) == 120
    loss = {name: np.mean([-np.log(p[i, t]) for i, t in enumerate(truth)]) for name, p in said.items()}
    assert one.differences.log_loss.value == pytest.approx(loss["strong"] - loss["weak"])
    recalls = [each.recall.value for each in one.per_class]
    assert one.differences.balanced_accuracy.value == pytest.approx(np.mean(recalls))
    assert found.contenders[1].accuracy.value - found.contenders[0].accuracy.value == pytest.approx(
        one.differences.accuracy.value
    )
    turned = compare_predictions(2 - truth, {name: p[:, ::-1] for name, p in said.items()}, ("c", "b", "a"))
    assert turned.pairings[0].differences.accuracy == one.differences.accuracy
    assert turned.pairings[0].per_class[0].p == one.per_class[2].p


def test_a_verdict_in_words() -> None:
    truth, said = random_task(400)
    better = compare_predictions(truth, said, ("a", "b", "c"))
    assert better.pairings[0].shown
    assert better.sentences()[0].startswith("strong is ")
    assert "points better than weak" in better.sentences()[0]
    assert "McNemar p < 0.001" in better.sentences()[0]
    same = compare_predictions(truth, {"one": said["weak"], "two": said["weak"].copy()}, ("a", "b", "c"))
    assert not same.pairings[0].shown
    assert same.sentences()[0].startswith("No difference is shown: two and one are right equally often (−")
    worse = compare_predictions(truth, {"s": said["strong"], "w": said["weak"]}, ("a", "b", "c"))
    assert "points worse than s" in worse.sentences()[0]
    assert "is −" not in worse.sentences()[0]


def test_groups_make_intervals_wider_and_mcnemar_says_that_it_ignores_them() -> None:
    truth, said = random_task(60)
    many = {name: np.repeat(p, 10, axis=0) for name, p in said.items()}
    groups = np.repeat([f"p{n}" for n in range(60)], 10)
    alone = compare_predictions(np.repeat(truth, 10), many, ("a", "b", "c"))
    whole = compare_predictions(np.repeat(truth, 10), many, ("a", "b", "c"), groups=groups)
    once = compare_predictions(truth, said, ("a", "b", "c"))
    assert whole.groups == 60

    def width(found: Comparison) -> float:
        number = found.pairings[0].differences.accuracy
        return number.high - number.low

    assert width(whole) > 2 * width(alone)
    assert width(whole) == pytest.approx(width(once), rel=0.15)
    assert whole.pairings[0].p == pytest.approx(once.pairings[0].p)
    assert whole.pairings[0].mcnemar.exact < whole.pairings[0].p
    assert whole.methods["mcnemar"] == "ignores the groups"
    assert "p by groups" in whole.sentences()[0]
    assert "ignores the groups" in comparison_text(whole)


def test_unequal_groups_stay_within_a_hundred_points() -> None:
    gain, groups = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1])
    number = group_differences(Ground(np.zeros(4, np.int64), ("a",), groups, 0), gain, gain).accuracy
    assert (number.value, number.high) == (0.75, 1.0)
    assert number.low < 0


def test_an_interval_off_zero_does_not_show_a_difference_that_the_test_does_not() -> None:
    truth = np.zeros(100, np.int64)
    right, wrong = np.array([0.9, 0.1]), np.array([0.1, 0.9])
    said = {"a": np.array([wrong] * 5 + [right] * 95), "b": np.array([right] * 100)}
    found = compare_predictions(truth, said, ("x", "y"))
    assert found.pairings[0].differences.accuracy.low > 0
    assert (found.pairings[0].p, found.pairings[0].shown) == (0.0625, False)
    assert found.sentences()[0].startswith("No difference is shown: b is 5 points better than a (")


def test_images_without_a_group_stand_alone() -> None:
    truth, said = random_task(80)
    none = compare_predictions(truth, said, ("a", "b", "c"), groups=np.full(80, ""))
    plain = compare_predictions(truth, said, ("a", "b", "c"))
    assert none.groups == 80
    assert none.pairings[0].p == pytest.approx(plain.pairings[0].p)
    assert none.pairings[0].differences.accuracy.low == pytest.approx(
        plain.pairings[0].differences.accuracy.low
    )
    assert sorted(set(numbered_groups(np.array(["b", "", "a", "b"])).tolist())) == [0, 1, 2]


def test_too_few_groups_are_said() -> None:
    truth, said = random_task(200)
    found = compare_predictions(truth, said, ("a", "b", "c"), groups=np.repeat(["v", "w", "x", "y"], 50))
    assert found.pairings[0].p >= 0.125
    assert found.sentences()[0].startswith("4 groups are too few to show a difference: strong is ")
    assert any("So few groups (4)" in note for note in found.notes)
    only = compare_predictions(truth, said, ("a", "b", "c"), groups=np.full(200, "v"))
    number = only.pairings[0].differences.accuracy
    assert (number.low, number.reason) == (None, "one group, hence no interval")
    assert only.sentences()[0].startswith("1 group is too few to show a difference: strong is ")
    assert "(no interval, n = 200 in 1 group; p by groups = 1.000)" in only.sentences()[0]


@pytest.mark.parametrize("groups", [None, ["p", "q", "", "q"]])
def test_absent_classes_and_one_image_are_undefined_with_a_reason(groups: list[str] | None) -> None:
    truth = np.array([0, 0, 1, 1])
    said = {"a": np.full((4, 3), 1 / 3), "b": np.where(truth[:, None] == np.arange(3), 0.8, 0.1)}
    given_groups = None if groups is None else np.array(groups)
    found = compare_predictions(truth, said, ("x", "y", "z"), groups=given_groups)
    absent = found.pairings[0].per_class[2]
    assert (absent.recall.value, absent.recall.reason, absent.p) == (None, "no image of this class", None)
    assert absent.auc.difference.reason == "needs images inside and outside the class"
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["pairs"][0]["per_class"][2]["recall"] == {
        "value": None, "low": None, "high": None, "n": 0, "reason": "no image of this class"
    }  # fmt: skip
    assert "mean over 2 of 3 classes" in told["pairs"][0]["balanced_accuracy"]["reason"]
    one = compare_predictions(truth[:1], {name: p[:1] for name, p in said.items()}, ("x", "y", "z"))
    number = one.pairings[0].differences.accuracy
    assert (number.low < number.high, one.pairings[0].differences.log_loss.low) == (True, None)
    assert comparison_text(one)


def test_which_pairs_and_holm_over_them() -> None:
    truth, said = random_task(150)
    three = {**said, "third": said["strong"][:, ::-1]}
    found = compare_predictions(truth, three, ("a", "b", "c"))
    assert [(one.reference, one.other) for one in found.pairings] == [
        ("weak", "strong"),
        ("weak", "third"),
        ("strong", "third"),
    ]
    assert [one.adjusted for one in found.pairings] == pytest.approx(holm([one.p for one in found.pairings]))
    assert "Holm's of 3" in found.sentences()[0]
    against = compare_predictions(truth, three, ("a", "b", "c"), against="strong")
    assert [one.reference for one in against.pairings] == ["strong", "strong"]
    assert len(pairs(list("abcd"))) == 6
    assert pairs(list("abcde")) == [("a", name) for name in "bcde"]


def test_what_cannot_be_compared() -> None:
    truth, said = random_task(20)
    with pytest.raises(UsageError, match="at least two runs"):
        compare_predictions(truth, {"a": said["weak"]}, ("a", "b", "c"))
    with pytest.raises(UsageError, match="did you mean strong"):
        compare_predictions(truth, said, ("a", "b", "c"), against="stronk")
    with pytest.raises(StriateError, match="a true class is 5; with 3 classes"):
        compare_predictions(truth + 3, said, ("a", "b", "c"))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 30), st.integers(2, 4), st.integers(0, 10**6), st.booleans())
def test_every_interval_holds_its_value_and_json_takes_it(
    images: int, classes: int, seed: int, grouped: bool
) -> None:
    truth, said = random_task(images, classes, seed)
    groups = np.array([f"g{n % 7}" if n % 5 else "" for n in range(images)]) if grouped else None
    found = compare_predictions(truth, said, tuple("abcd"[:classes]), groups=groups)
    one = found.pairings[0]
    numbers = [
        one.differences.accuracy,
        one.differences.balanced_accuracy,
        *(each.recall for each in one.per_class),
    ]
    for number in numbers:
        if number.low is not None:
            assert -1 <= number.low <= number.value <= number.high <= 1
            assert number.low < number.high
    assert all(0 <= p <= 1 for p in (one.p, one.adjusted, one.mcnemar.exact, one.mcnemar.mid))
    json.dumps(found.to_dict(), allow_nan=False)


# Words, figures, the page


def test_a_chance_stays_on_its_side_of_one_in_twenty() -> None:
    assert [chance(p) for p in (0.05, 0.04999, 0.0501, 0.9, 0.0)] == [
        "= 0.050", "= 0.04999", "= 0.050", "= 0.900", "< 0.001"
    ]  # fmt: skip


def test_the_axis_holds_every_limit_and_zero() -> None:
    for low, high in ((1.0, 9.0), (-30.0, -2.0), (-0.3, 0.2), (0.0, 0.0)):
        ticks = axis([Difference("", (low + high) / 2, low, high, "")])
        assert ticks[0] <= min(low, 0) <= max(high, 0) <= ticks[-1]
        assert 0.0 in ticks
        assert 2 <= len(ticks) <= 9
    drawn = forest("f", [Difference("<b>", None, None, None, "–")], against="<i>", for_="b", unit="points")
    assert "<b>" not in drawn
    assert "<i>" not in drawn


def test_the_page_escapes_names_and_fetches_nothing() -> None:
    truth, said = random_task(40)
    evil = "<script>alert(1)</script>"
    found = compare_predictions(truth, {evil: said["weak"], "b": said["strong"]}, (evil, "\u202ey", "z"))
    answers = tuple(
        Said(run=name, predicted=evil, probability=0.5, right=name == "b") for name in (evil, "b")
    )
    image = Disagreement(source=evil, truth=evil, said=answers, pixels=np.zeros((8, 8, 1), np.uint8))
    origin = Origin(command=evil, created="now", one_right=1, none_right=0)
    page = render_comparison(found, [image], origin)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    assert "1 of 40 images gets different answers: of 1 one is right" in page
    assert page.count("<svg") >= 2
    many = render_comparison(
        found, [image] * 60, Origin(command="c", created="now", one_right=60, none_right=0)
    )
    assert many.count("data:image/png") == 48
    assert "The first 48 are shown" in many


# Coverage


@pytest.mark.slow
def test_paired_intervals_cover_as_promised() -> None:
    generator = np.random.default_rng(11)
    chances, n = [0.70, 0.06, 0.12, 0.12], 200
    draws = generator.multinomial(n, chances, size=4000).tolist()
    numbers = [score_difference(Agreement(*draw)) for draw in draws]
    assert 0.93 < np.mean([one.low <= 0.06 <= one.high for one in numbers]) < 0.97
    tests = generator.multinomial(n, [0.7, 0.09, 0.09, 0.12], size=4000).tolist()
    assert np.mean([mcnemar(Agreement(*draw)).exact < 0.05 for draw in tests]) < 0.05
    assert np.mean([mcnemar(Agreement(*draw)).mid < 0.05 for draw in tests]) < 0.056


@pytest.mark.slow
def test_group_intervals_cover_where_those_of_images_do_not() -> None:
    generator = np.random.default_rng(12)
    count, size, cover, naive = 25, 20, [], []
    groups, truth = np.repeat(np.arange(count), size), np.zeros(count * size, np.int64)
    for seed in range(600):
        before = generator.beta(3, 1, count)
        after = np.clip(before + generator.normal(0, 0.15, count), 0, 1)
        first, second = (generator.random(count * size) < chances[groups] for chances in (before, after))
        gain = second.astype(np.float64) - first
        ground = Ground(truth, ("a",), groups, seed)
        grouped = group_differences(ground, gain, gain).accuracy
        single = image_differences(ground, first, second, gain).accuracy
        cover.append((grouped.low, grouped.high))
        naive.append((single.low, single.high))
    before = generator.beta(3, 1, 10**6)
    true = float((np.clip(before + generator.normal(0, 0.15, 10**6), 0, 1) - before).mean())
    held = [np.mean([low <= true <= high for low, high in limits]) for limits in (cover, naive)]
    assert 0.92 < held[0] < 0.98
    assert held[1] < 0.92
