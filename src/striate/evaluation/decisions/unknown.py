"""Pictures of none of the classes: how well a measure of sureness tells them from known ones."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int

from striate.errors import UsageError
from striate.evaluation.intervals import Number, undefined, wilson
from striate.evaluation.roc import roc_auc

KEPT = 0.95
NEIGHBOURS = 50


@dataclass(frozen=True)
class UnknownVerdict:
    """AUROC of known against unknown images, and how many unknown are `taken` for known where 95 % of those are."""

    score: str
    auc: Number
    taken: Number
    threshold: float | None

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {**vars(self), "auc": self.auc.to_dict(), "taken": self.taken.to_dict()}


@dataclass(frozen=True)
class Unknown:
    """How every measure of sureness tells the known images from those of `source`, which are of none of the classes.

    `called` is how many unknown images are given each class, by its name. `answered` is the share of the unknown
    images that the run's own threshold for abstaining lets pass, None where it has none. `left_out` is why measures by
    distance could not be taken, '' where they were.
    """

    source: str
    images: int
    unreadable: tuple[tuple[str, str], ...]
    scores: tuple[UnknownVerdict, ...]
    called: dict[str, int]
    answered: Number | None = None
    left_out: str = ""

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values."""
        return {
            "source": self.source,
            "images": self.images,
            "unreadable": [list(pair) for pair in self.unreadable],
            "scores": [one.to_dict() for one in self.scores],
            "called": self.called,
            "answered": self.answered.to_dict() if self.answered else None,
            "left_out": self.left_out,
        }


def judge_unknown(
    score: str, known: Float[np.ndarray, " known"], unknown: Float[np.ndarray, " unknown"]
) -> UnknownVerdict:
    """How a sureness tells known images from unknown ones.

    >>> found = judge_unknown("probability", np.linspace(0.5, 1, 100), np.linspace(0, 0.6, 100))
    >>> round(found.auc.value, 3), found.taken.value  # known above 0.52, where 13 unknown are too
    (0.982, 0.13)

    The threshold keeps at least 95 % of the known images; ties at it are kept. Hendrycks and Gimpel 2017 (AUROC of
    the highest probability); Liang, Li and Srikant 2018 (the false positive rate at 95 %).
    """
    area = roc_auc(known, unknown)
    if not len(known) or not len(unknown):
        return UnknownVerdict(score, area, undefined("needs known and unknown images"), None)
    threshold = float(np.sort(known)[int(np.floor((1 - KEPT) * len(known) + 1e-9))])
    taken = wilson(int((unknown >= threshold).sum()), len(unknown))
    return UnknownVerdict(score, area, taken, threshold)


@dataclass(frozen=True, eq=False)
class Gaussians:
    """A mean of each class and one inverse covariance of all."""

    means: Float64[np.ndarray, "classes features"]
    precision: Float64[np.ndarray, "features features"]

    def sureness(self, features: Float[np.ndarray, "images features"]) -> Float64[np.ndarray, " images"]:
        """Minus the least squared Mahalanobis distance to a class."""
        found = []
        for mean in self.means:
            away = features.astype(np.float64) - mean
            found.append(np.einsum("ij,jk,ik->i", away, self.precision, away, optimize=True))
        return -np.min(found, axis=0)


def fit_gaussians(
    features: Float[np.ndarray, "images features"], labels: Int[np.ndarray, " images"]
) -> Gaussians:
    """Class means and the covariance that all classes share, of training images.

    >>> generator = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 500)
    >>> fitted = fit_gaussians(generator.normal(size=(1000, 3)) + 5 * labels[:, None], labels)
    >>> fitted.sureness(np.array([[0.0, 0, 0], [2.5, 2.5, 2.5]])).round().tolist()
    [-0.0, -18.0]

    The covariance is shrunk towards a multiple of the identity as far as its own noise asks (Ledoit and Wolf 2004),
    so that it can be inverted however few images there are. UsageError without images. Source: Lee, Lee, Lee and
    Shin 2018, equations 1 and 2.
    """
    from sklearn.covariance import LedoitWolf

    present = np.unique(labels)
    if not len(present):
        raise UsageError("There is no training image to measure distances from.")
    features = features.astype(np.float64)
    means = np.stack([features[labels == index].mean(axis=0) for index in present])
    centred = features - means[np.searchsorted(present, labels)]
    return Gaussians(means, np.asarray(LedoitWolf(assume_centered=True).fit(centred).get_precision()))


def neighbour_sureness(
    training: Float[np.ndarray, "images features"],
    features: Float[np.ndarray, "others features"],
    neighbours: int = NEIGHBOURS,
) -> Float64[np.ndarray, " others"]:
    """Minus the distance to the 50th nearest training image, both scaled to length 1; the last there is of fewer.

    >>> training = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
    >>> neighbour_sureness(training, np.array([[3.0, 0.0]]), neighbours=1).round(3).tolist()
    [-0.0]

    Sun, Ming, Zhu and Li 2022, Out-of-distribution detection with deep nearest neighbors, section 3.
    """
    from sklearn.neighbors import NearestNeighbors

    k = min(neighbours, len(training))
    if not k:
        raise UsageError("There is no training image to measure distances from.")
    nearest = NearestNeighbors(n_neighbors=k).fit(_unit(training))
    return -nearest.kneighbors(_unit(features))[0][:, -1]


def _unit(features: Float[np.ndarray, "images features"]) -> Float64[np.ndarray, "images features"]:
    lengths = np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    return features / np.maximum(lengths, 1e-12)
