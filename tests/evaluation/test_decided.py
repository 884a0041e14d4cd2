"""What a wish is held against: the rate at the frequency of the images judged, whatever the deployment's prevalence."""

import numpy as np
import pytest

from striate.evaluation.decisions.decided import choose_operating_point, judge_decision, rates_of
from striate.evaluation.decisions.decision import Decision

CLASSES = ("well", "ill")


@pytest.mark.parametrize("wish", ["precision>=0.6", "npv>=0.6", "sensitivity>=0.6", "specificity>=0.6"])
def test_a_wish_is_judged_at_the_frequency_of_the_images(wish: str) -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 4000)
    ill = np.clip(generator.normal(0.35 + 0.3 * truth, 0.15), 0.01, 0.99)
    chances = np.stack([1 - ill, ill], axis=1)
    point = choose_operating_point("ill", wish, truth, chances, CLASSES, chosen_on="4,000 images")
    decision = Decision(images=4000, operating=(point,))
    plain = judge_decision(decision, truth, chances, CLASSES).operating[0]
    rare = judge_decision(decision, truth, chances, CLASSES, prevalence=0.001).operating[0]
    own = {"precision": "ppv", "npv": "npv"}.get(wish.partition(">")[0], wish.partition(">")[0])
    assert rare.wished == plain.wished == rates_of(ill, truth == 1, point.threshold)[own]
    assert rare.outcome() == plain.outcome()
    assert rare.rates["ppv"].value < 0.1 < plain.rates["ppv"].value
