"""Quick fits: folds that keep together, ridge regression against scikit-learn, intervals that know of groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_audits import material, noise
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge

from striate.data.audit import fits
from striate.data.audit.features import gradients, learn_projection
from striate.data.audit.quick_fit import quick_fit
from striate.data.audit.shortcuts import probes
from striate.data.audit.suspects import doubt
from striate.evaluation.intervals import mean_of_proportions


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), min_size=1, max_size=60), st.integers(0, 5))
def test_folds_keep_together_what_belongs_together(pairs, seed):
    labels, together = np.array(pairs).T
    fold = fits.folds(labels, together, seed)
    assert set(fold.tolist()) <= set(range(fits.FOLDS))
    for unit in np.unique(together):
        assert len(set(fold[together == unit].tolist())) == 1
    assert np.array_equal(fold, fits.folds(labels, together, seed))


def test_folds_spread_each_class_evenly():
    labels = np.repeat([0, 1, 2], [50, 25, 13])
    fold = fits.folds(labels, np.arange(88), seed=0)
    for label in range(3):
        sizes = np.bincount(fold[labels == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1


def test_scores_are_those_of_a_fit_to_the_other_folds(monkeypatch):
    monkeypatch.setattr(fits, "RIDGES", (1e-3,))
    random = np.random.default_rng(0)
    features = random.normal(size=(60, 4)).astype(np.float32)
    labels = random.integers(0, 3, 60)
    fold = np.arange(60) % 5
    scores = fits.kernel_scores(features, labels, fold, 3, seed=0, most=60)
    centres = features[np.sort(np.random.default_rng(0).choice(60, 30, replace=False))]
    distances = np.square(features[:, None] - centres[None]).sum(axis=2)
    kernel = np.concatenate([np.exp(-distances / np.median(distances)), np.ones((60, 1))], axis=1)
    for held in range(5):
        seen = fold != held
        normal = kernel[seen].T @ kernel[seen]
        ridge = 1e-3 * np.trace(normal) / len(normal)
        # The same normal equations, through scikit-learn's dual form.
        dual = KernelRidge(alpha=ridge, kernel="linear").fit(kernel[seen], np.eye(3)[labels[seen]])
        assert np.allclose(scores[~seen], dual.predict(kernel[~seen]), atol=2e-3)


def test_a_ridge_is_chosen_that_helps_on_images_not_seen():
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 30)).astype(np.float32)
    labels = (features[:, 0] + random.normal(size=200) > 0).astype(int)
    fold = np.arange(200) % 5
    errors = {}
    for ridge in fits.RIDGES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fits, "RIDGES", (ridge,))
            scores = fits.kernel_scores(features, labels, fold, 2, seed=0)
            errors[ridge] = np.square(scores - np.eye(2)[labels]).sum()
    chosen = np.square(fits.kernel_scores(features, labels, fold, 2, seed=0) - np.eye(2)[labels]).sum()
    assert chosen == pytest.approx(min(errors.values()), rel=1e-3)


def test_without_groups_the_interval_is_that_of_independent_images():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    predicted = np.where(random.random(200) < 0.8, labels, 1 - labels)
    number = fits.balanced_accuracy(predicted, labels, np.arange(200), 0.95)
    right = [int((predicted[labels == label] == label).sum()) for label in (0, 1)]
    assert number == mean_of_proportions(right, [100, 100])


def test_an_interval_over_ten_groups_counts_ten_and_not_two_hundred():
    labels = np.repeat([0, 1], 100)
    groups = np.arange(200) // 10
    predicted = np.where(groups % 5 == 0, 1 - labels, labels)  # whole groups are right or wrong
    number = fits.balanced_accuracy(predicted, labels, groups, 0.95)
    expected = mean_of_proportions([8, 8], [10, 10])
    assert number.value == 0.8
    assert number.high - number.low == pytest.approx(expected.high - expected.low, abs=0.06)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_the_share_of_random_labels_is_inside_its_interval(share):
    random = np.random.default_rng(3)
    truth = random.integers(0, 4, 4000)
    scores = np.eye(4)[truth] * 2 + random.normal(size=(4000, 4)) * 0.5
    likely = np.exp(scores * 3) / np.exp(scores * 3).sum(axis=1, keepdims=True)
    drawn = (likely.cumsum(axis=1) > random.random((4000, 1))).argmax(axis=1)
    noisy = random.random(4000) < share
    given_labels = np.where(noisy, random.integers(0, 4, 4000), drawn)
    found = doubt(scores, given_labels)
    assert found.share.low - 1e-4 <= (given_labels != drawn).mean() <= found.share.high
    assert (found.wrong[given_labels != drawn] > 0.5).sum() >= 0.5 * (given_labels != drawn).sum()


def test_a_format_that_goes_with_a_class_is_named():
    table = material(noise(200), ["a"] * 100 + ["b"] * 100)
    facts = table.facts.copy()
    facts["format"] = np.where(np.arange(200) < 90, "PNG", "JPEG")
    facts["width"] = np.where(np.arange(200) % 2, 16, 17)
    changed = type(table)(table.images, table.pixels, facts, 0, str)
    found = {
        probe.name: probe
        for probe in probes(changed, np.arange(200), fits.folds(table.labels, np.arange(200), 0))
    }
    assert found["format"].accuracy.value == pytest.approx(0.95)
    assert found["format"].accuracy.low > 0.85
    assert found["format"].told in {
        " (format JPEG: 10 % of it, 100 % of the others)",
        " (format JPEG: 100 % of it, 10 % of the others)",
        " (format PNG: 90 % of it, 0 % of the others)",
    }
    assert found["size"].accuracy.low < 0.5
    assert "mode" not in found


def test_too_few_images_are_not_probed_and_it_is_said():
    found = quick_fit(material(noise(40), ["a", "b"] * 20))
    assert [finding.kind for finding in found] == ["not-probed"]
    assert "there are 40" in found[0].sentence


def test_a_class_of_three_is_left_out_and_it_is_said():
    found = quick_fit(material(noise(133), ["a", "b"] * 65 + ["c"] * 3))
    assert found[-1].sentence.startswith("3 images were not probed")
    assert "label-suspects" not in {finding.kind for finding in found if finding.count == 133}


def test_gradients_tell_directions_and_not_brightness():
    picture = np.zeros((1, 32, 32, 1), np.float32)
    picture[:, :, 16:] = 0.5
    assert np.allclose(gradients(picture, 8), gradients(picture + 0.4, 8), atol=1e-5)
    assert gradients(picture, 8).any()
    turned = gradients(np.ascontiguousarray(picture.swapaxes(1, 2)), 8)
    assert not np.allclose(gradients(picture, 8), turned)


@pytest.mark.parametrize("count", [300, 20])
def test_projections_are_principal_components_with_the_deviation_asked_for(count):
    table = np.random.default_rng(0).normal(size=(count, 40)).astype(np.float32) * np.arange(1, 41) + 3
    projected = learn_projection(table.astype(np.float32), 10, 0.7)(table.astype(np.float32))
    expected = PCA(10).fit_transform(table)[:, ::-1]
    assert projected.var(axis=0).sum() == pytest.approx(0.49, rel=1e-3)
    assert np.allclose(
        np.abs(projected), np.abs(expected) * 0.7 / np.sqrt(expected.var(axis=0).sum()), atol=1e-4
    )
