"""Quick fits, judged only on images that they were not fitted to: folds, kernel ridge, balanced accuracy."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64, Int

from striate.evaluation.intervals import Number, mean_of_proportions

FOLDS = 5
CENTRES, MANY_CENTRES = 2000, 1000
RIDGES = (3e-4, 1e-3, 3e-3, 1e-2)
CHUNK = 4096

Scores = Float64[np.ndarray, "image class"]


def folds(
    labels: Int[np.ndarray, " image"], together: Int[np.ndarray, " image"], seed: int, count: int = FOLDS
) -> Int[np.ndarray, " image"]:
    """The fold of each image, 0 … count − 1: what belongs together in one, each class spread over all.

    >>> folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), seed=0, count=2)
    array([0, 1, 0, 0])

    Units are dealt out like cards, those of one (most frequent) class after another, the larger ones first, in an
    order drawn from the seed.
    """
    units, unit = np.unique(together, return_inverse=True)
    if not len(units):
        return np.zeros(0, np.int64)
    order = np.lexsort((labels, unit))
    first = np.flatnonzero(np.diff(unit[order], prepend=-1))
    size = np.diff(np.append(first, len(unit)))
    main = labels[order][first + size // 2]  # the middle one of its sorted labels
    drawn = np.random.default_rng(seed).permutation(len(units))
    dealt = drawn[np.lexsort((-size[drawn], main[drawn]))]
    fold_of_unit = np.empty(len(units), np.int64)
    fold_of_unit[dealt] = np.arange(len(units)) % count
    return fold_of_unit[unit]


def kernel_scores(
    features: Float32[np.ndarray, "image feature"],
    labels: Int[np.ndarray, " image"],
    fold: Int[np.ndarray, " image"],
    classes: int,
    seed: int,
    *,
    most: int = CENTRES,
) -> Scores:
    """A score of each class for each image from a fit to the other folds: ridge regression on a Gaussian kernel.

    The kernel is taken to at most `most` of the images (Williams and Seeger 2001). What each fold adds to the normal
    equations is summed once; so five fits, and their errors under several ridges, cost little more than one.
    """
    count = len(features)
    chosen = np.random.default_rng(seed).choice(count, min(most, max(1, count // 2)), replace=False)
    centres = features[np.sort(chosen)]
    width = float(np.median(_distances(features[:CHUNK], centres)))
    number = int(fold.max()) + 1
    gram = np.zeros((number, len(centres) + 1, len(centres) + 1), np.float32)
    right = np.zeros((number, len(centres) + 1, classes), np.float32)
    for part, kernel in _kernels(features, centres, width):
        for one in range(number):
            mine = fold[part] == one
            gram[one] += kernel[mine].T @ kernel[mine]
            right[one] += kernel[mine].T @ np.eye(classes, dtype=np.float32)[labels[part][mine]]
    weights = _solved(gram, right)
    scores = np.empty((count, classes))
    for part, kernel in _kernels(features, centres, width):
        for one in range(number):
            mine = fold[part] == one
            scores[part][mine] = kernel[mine] @ weights[one]
    return scores


def _solved(
    gram: Float32[np.ndarray, "fold centre centre"], right: Float32[np.ndarray, "fold centre class"]
) -> Float32[np.ndarray, "fold centre class"]:
    """The weights of each fold's fit to all the others, under the ridge with the least squared error on those tried.

    With many centres, which means many images, two folds tell as much as five do with few.
    """
    folds_left = np.arange(len(gram))
    tried = folds_left if gram.shape[1] <= MANY_CENTRES else folds_left[:2]
    fitted = {ridge: _ridge(gram, right, ridge, tried) for ridge in RIDGES}
    best = min(fitted, key=lambda ridge: fitted[ridge][0])
    rest = _ridge(gram, right, best, folds_left[len(tried) :])[1]
    return np.concatenate([fitted[best][1], rest])


def _ridge(
    gram: Float32[np.ndarray, "fold centre centre"],
    right: Float32[np.ndarray, "fold centre class"],
    ridge: float,
    tried: Int[np.ndarray, " tried"],
) -> tuple[float, Float32[np.ndarray, "tried centre class"]]:
    """The squared error on some folds by fits to all others, but for what no ridge changes, and those fits' weights."""
    from scipy.linalg import solve

    whole, target = gram.sum(axis=0, dtype=np.float64), right.sum(axis=0, dtype=np.float64)
    weights, error = np.empty((len(tried), *right.shape[1:]), np.float32), 0.0
    for index, one in enumerate(tried.tolist()):
        normal = whole - gram[one]
        normal[np.diag_indices(len(normal))] += ridge * np.trace(normal) / len(normal) + 1e-9
        found = solve(normal, target - right[one], assume_a="pos", overwrite_a=True, check_finite=False)
        weights[index] = found
        error += float(
            np.vdot(weights[index], gram[one] @ weights[index]) - 2 * np.vdot(weights[index], right[one])
        )
    return error, weights


def _kernels(
    features: Float32[np.ndarray, "image feature"],
    centres: Float32[np.ndarray, "centre feature"],
    width: float,
) -> Iterator[tuple[slice, Float32[np.ndarray, "part one_more"]]]:
    """The kernel of some images at a time to every centre, and a constant."""
    for start in range(0, len(features), CHUNK):
        part = slice(start, start + CHUNK)
        kernel = np.exp(_distances(features[part], centres) * np.float32(-1 / max(width, 1e-12)))
        yield part, np.concatenate([kernel, np.ones((len(kernel), 1), np.float32)], axis=1)


def _distances(
    left: Float32[np.ndarray, "image feature"], right: Float32[np.ndarray, "centre feature"]
) -> Float32[np.ndarray, "image centre"]:
    squares = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    return np.maximum(squares - 2 * left @ right.T, 0)


def balanced_accuracy(
    predicted: Int[np.ndarray, " image"],
    labels: Int[np.ndarray, " image"],
    together: Int[np.ndarray, " image"],
    confidence: float,
) -> Number:
    """The mean recall of the classes that have images, with an interval that knows that groups hang together.

    Each class counts for as many cases as independent images would give the same variance of its recall (Kish 1965,
    section 8.2: the design effect); without groups that is their number.
    """
    right = (predicted == labels).astype(float)
    successes, totals = [], []
    for label in np.unique(labels).tolist():
        mine = labels == label
        hits, cases = _effective(right[mine], together[mine])
        successes.append(hits)
        totals.append(cases)
    number = mean_of_proportions(successes, totals, confidence)
    recalls = [right[labels == label].mean() for label in np.unique(labels).tolist()]
    value = float(np.mean(recalls)) if recalls else None
    if value is None or number.low is None or number.high is None:
        return number
    return Number(value, min(number.low, value), max(number.high, value), len(labels))


def _effective(right: Float64[np.ndarray, " image"], together: Int[np.ndarray, " image"]) -> tuple[int, int]:
    share, count = float(right.mean()), len(right)
    units, unit = np.unique(together, return_inverse=True)
    effect = 1.0
    if 1 < len(units) < count and 0 < share < 1:
        residual = np.bincount(unit, weights=right - share)
        variance = len(units) / (len(units) - 1) * float(np.square(residual).sum()) / count**2
        effect = max(1.0, variance / (share * (1 - share) / count))
    elif len(units) == 1:
        effect = float(count)
    cases = max(1, round(count / effect))
    return round(share * cases), cases
