"""How often 95 % intervals hold the truth: a thousand simulations each, and the corners as a table."""

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.special import ndtr

from striate.evaluation.clustered import clustered_auc, clustered_f1, clustered_proportion
from striate.evaluation.intervals import Number, f1, wilson
from striate.evaluation.reliability import reliability
from striate.evaluation.roc import roc_auc
from striate.evaluation.scores import scores

RUNS = 1000


def covered(truth: float, numbers: Iterator[Number]) -> float:
    """The share of intervals that hold the truth."""
    return float(np.mean([number.low <= truth <= number.high for number in numbers]))


def of_groups(
    generator: np.random.Generator, groups: int, each: int, rate: float, alike: float
) -> tuple[np.ndarray, np.ndarray]:
    """Successes whose rate is drawn for each group (beta), so that two images of one are correlated by `alike`."""
    strength = (1 - alike) / alike
    rates = generator.beta(rate * strength, (1 - rate) * strength, groups)
    number = np.repeat(np.arange(groups), each)
    return generator.random(groups * each) < rates[number], number


@pytest.mark.slow
@pytest.mark.parametrize(("n", "rate"), [(200, 0.9), (500, 0.8), (1000, 0.95), (10_000, 0.99)])
def test_of_a_proportion(n: int, rate: float) -> None:
    generator = np.random.default_rng(0)
    share = covered(rate, (wilson(int(generator.binomial(n, rate)), n) for _ in range(RUNS)))
    assert 0.93 <= share <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("positives", "negatives", "area"), [(100, 100, 0.8), (60, 240, 0.9), (300, 300, 0.95)]
)
def test_of_an_area_under_the_curve(positives: int, negatives: int, area: float) -> None:
    from scipy.stats import norm

    generator = np.random.default_rng(1)
    shift = float(norm.ppf(area)) * np.sqrt(2)
    numbers = (
        roc_auc(generator.normal(shift, 1, positives), generator.normal(0, 1, negatives)) for _ in range(RUNS)
    )
    assert 0.93 <= covered(float(ndtr(shift / np.sqrt(2))), numbers) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("n", "share"), [(400, 0.5), (600, 0.2), (2000, 0.1)])
def test_of_f1(n: int, share: float) -> None:
    generator = np.random.default_rng(2)
    sensitivity, alarms = 0.8, 0.1
    hit, miss, alarm = share * sensitivity, share * (1 - sensitivity), (1 - share) * alarms
    truth = 2 * hit / (2 * hit + miss + alarm)

    def draw() -> Number:
        counts = generator.multinomial(n, [hit, miss, alarm, 1 - hit - miss - alarm])
        return f1(int(counts[0]), int(counts[2]), int(counts[1]))

    assert 0.93 <= covered(truth, (draw() for _ in range(RUNS))) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "each", "rate"), [(60, 5, 0.85), (100, 8, 0.9), (40, 10, 0.75)])
def test_of_a_proportion_of_groups_where_the_plain_one_fails(groups: int, each: int, rate: float) -> None:
    generator = np.random.default_rng(3)
    drawn = [of_groups(generator, groups, each, rate, alike=0.3) for _ in range(RUNS)]
    cases = np.full(groups * each, True)
    together = covered(rate, (clustered_proportion(right, cases, number) for right, number in drawn))
    plain = covered(rate, (wilson(int(right.sum()), len(right)) for right, _ in drawn))
    assert 0.93 <= together <= 0.97
    assert plain < 0.9


@pytest.mark.slow
def test_of_an_area_of_groups_where_the_plain_one_fails() -> None:
    generator = np.random.default_rng(4)
    groups = np.repeat(np.arange(80), 6)
    inside = groups % 2 == 0
    truth = float(ndtr(1.5 / np.sqrt(2 * 2)))

    def draw() -> np.ndarray:
        return 1.5 * inside + generator.normal(size=80)[groups] + generator.normal(size=480)

    drawn = [draw() for _ in range(RUNS)]
    together = covered(truth, (clustered_auc(one, inside, groups) for one in drawn))
    plain = covered(truth, (roc_auc(one[inside], one[~inside]) for one in drawn))
    assert 0.93 <= together <= 0.97
    assert plain < 0.9


@pytest.mark.slow
def test_of_f1_of_groups_where_the_plain_one_fails() -> None:
    generator = np.random.default_rng(5)
    inside = np.arange(600) % 12 < 6  # 100 groups of six images, every other one of the class
    groups = np.arange(600) // 6
    hit, alarm = 0.8, 0.15
    truth = 2 * hit / (hit + alarm + 1)

    def draw() -> np.ndarray:
        rates = np.where(
            np.arange(100) % 2 == 0, generator.beta(3.2, 0.8, 100), generator.beta(0.6, 3.4, 100)
        )
        return generator.random(600) < rates[groups]

    drawn = [draw() for _ in range(RUNS)]
    together = covered(truth, (clustered_f1(called, inside, groups) for called in drawn))
    plain = covered(
        truth,
        (
            f1(int((one & inside).sum()), int((one & ~inside).sum()), int((~one & inside).sum()))
            for one in drawn
        ),
    )
    assert 0.93 <= together <= 0.97
    assert plain < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["macro_f1", "kappa", "matthews"])
def test_of_averages_and_agreement(name: str) -> None:
    generator = np.random.default_rng(6)
    joint = np.array([[0.25, 0.03, 0.02], [0.03, 0.35, 0.02], [0.04, 0.06, 0.20]])
    cells = [(row, column) for row in range(3) for column in range(3)]
    counts = (joint * 1_000_000).round().astype(int).ravel()
    whole = np.repeat(np.array(cells), counts, axis=0)
    truth = getattr(scores(whole[:, 0], whole[:, 1], 3), name).value

    def draw() -> Number:
        drawn = np.array(cells)[generator.choice(9, size=300, p=joint.ravel())]
        return getattr(scores(drawn[:, 0], drawn[:, 1], 3), name)

    assert 0.93 <= covered(truth, (draw() for _ in range(300))) <= 0.975


@pytest.mark.slow
def test_the_corners_are_stated_not_hidden() -> None:
    """n = 100 at 99 %, and 20 against 180 at an area of 0.95: what docs/guide.md says of them."""
    generator = np.random.default_rng(7)
    extreme = covered(0.99, (wilson(int(generator.binomial(100, 0.99)), 100) for _ in range(10_000)))
    shift = 1.6448536 * np.sqrt(2)
    few = covered(
        0.95,
        (roc_auc(generator.normal(shift, 1, 20), generator.normal(0, 1, 180)) for _ in range(2000)),
    )
    assert extreme == pytest.approx(0.92, abs=0.01)
    assert few == pytest.approx(0.912, abs=0.012)


@pytest.mark.slow
@pytest.mark.parametrize(("off", "wanted"), [(0.0, 0.98), (0.05, 0.91)])
def test_of_the_calibration_error(off: float, wanted: float) -> None:
    """Too wide where answers are calibrated, a little narrow where they are off: an absolute error keeps some bias."""
    generator = np.random.default_rng(0)

    def draw(seed: int) -> Number:
        stated = generator.uniform(0.5, 0.88, 1000)
        truth = np.where(generator.random(1000) < stated + off, 0, 1)
        found = reliability(truth, np.stack([stated, 1 - stated], axis=1), seed=seed)
        assert found is not None
        return found.error

    assert covered(off, map(draw, range(300))) == pytest.approx(wanted, abs=0.03)
