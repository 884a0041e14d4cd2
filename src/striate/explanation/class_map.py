"""Where classes lie: what the network's last layer is given of each image, in two dimensions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, Shaped
from torch import Tensor

from striate.drawing.class_map import class_map_figure
from striate.drawing.numbers import percent
from striate.errors import ModelError, UsageError, suggestion
from striate.evaluation.intervals import Number, wilson
from striate.explanation.inside import tapped
from striate.models import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METHODS = ("pca", "tsne")
TITLES = {"pca": "principal components", "tsne": "t-SNE"}
BEFORE_TSNE = 50
"""Components that t-SNE starts from; van der Maaten & Hinton 2008, section 4.2, take 30, scikit-learn advises 50."""
PERPLEXITY = 30.0


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Images as points, `image axis`, and how far the plane can be believed.

    `kept` is the share of the features' variance along each axis of a PCA, None for t-SNE, whose axes and distances
    between groups mean nothing (Wattenberg et al. 2016). `neighbours` is the share of images whose nearest neighbour
    on the plane is of their class, `neighbours_before` the same among the features themselves.
    """

    method: str
    points: Float64[np.ndarray, "image 2"]
    labels: Int[np.ndarray, " image"]
    kept: tuple[float, float] | None
    neighbours: Number
    neighbours_before: Number
    features: int

    def sentence(self) -> str:
        """What to see, and what the plane has lost."""
        axes = "distances between groups mean nothing"
        if self.kept is not None:
            axes = f"the two axes keep {100 * sum(self.kept):.0f} % of the variance"
        return (
            f"{len(self.points):,} images by the {self.features:,} numbers that the last layer reads: {axes}. Images"
            f" whose nearest neighbour is of their class: on the plane {percent(self.neighbours)}; among all the"
            f" numbers {percent(self.neighbours_before)}."
        )

    def figure(
        self,
        classes: Sequence[str],
        pictures: Sequence[Shaped[np.ndarray, "_height _width _channel"]] | None = None,
    ) -> "Figure":
        """The plane with a legend of the classes, and thumbnails of the pictures where there is room for them.

        A matplotlib figure; `striate.drawing.class_map.figure_bytes` makes a PNG or an SVG of it. `pictures` are
        one an image, in the order of the points.
        """
        names = ("", "")
        if self.kept is not None:
            first, second = (
                f"component {n}: {100 * share:.0f} % of the variance" for n, share in enumerate(self.kept, 1)
            )
            names = (first, second)
        return class_map_figure(
            self.points,
            self.labels,
            classes,
            title=f"Where classes lie: {TITLES[self.method]}",
            sentence=self.sentence(),
            axes_names=names,
            pictures=pictures,
        )


def penultimate(
    network: Network, batches: Iterable[Float[Tensor, "_batch ..."]]
) -> Float32[np.ndarray, "image feature"]:
    """What the last layer of the head is given of each image, in prediction mode.

    >>> import torch
    >>> from striate.models import create_model
    >>> network = create_model("compact", classes=10, channels=1, size=(28, 28))
    >>> penultimate(network, [torch.randn(4, 1, 28, 28), torch.randn(2, 1, 28, 28)]).shape
    (6, 96)

    Batches are normalised as for prediction and held one at a time. Maps, where the last layer is a convolution,
    are averaged over their cells. Raises ModelError for a network whose head has no layer with weights, UsageError
    for no images.
    """
    found = []
    for inputs in batches:
        entered = _last_layer(network, inputs)
        found.append(
            (entered.mean(dim=(2, 3)) if entered.ndim == 4 else entered.flatten(1)).float().cpu().numpy()
        )
    if not found:
        raise UsageError("There are no images, so there is nothing to lay out.")
    return np.concatenate(found)


def class_map(
    features: Float[np.ndarray, "image feature"],
    labels: Int[np.ndarray, " label"],
    *,
    method: str = "pca",
    seed: int = 0,
    perplexity: float = PERPLEXITY,
) -> ClassMap:
    """Features in two dimensions: by principal components, or by t-SNE, which keeps neighbours together.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 20)
    >>> found = class_map(rng.normal(size=(40, 8)) + 10 * labels[:, None], labels)
    >>> found.points.shape, found.neighbours.value
    ((40, 2), 1.0)

    The same features and seed give the same points: the largest weight of each component is positive, t-SNE (van der
    Maaten & Hinton 2008, scikit-learn's) begins with the first two components. Raises UsageError for another
    method, fewer than three images, other than one label an image, values that are not finite, and a perplexity
    that is not above 1 and below the number of images.
    """
    if method not in METHODS:
        raise UsageError(f"There is no class map {method!r}; {suggestion(method, METHODS)}")
    images = len(features)
    if images < 3 or len(labels) != images:
        raise UsageError(
            f"{images} images and {len(labels)} labels were given; a class map needs three images or more, and as"
            " many labels."
        )
    values = features.astype(np.float64)
    if not np.isfinite(values).all():
        raise UsageError("The features hold values that are not finite; take other weights.")
    components, shares = principal_components(values, BEFORE_TSNE if method == "tsne" else 2)
    points = components[:, :2] if method == "pca" else _tsne(components, seed, perplexity)
    return ClassMap(
        method=method,
        points=points,
        labels=labels,
        kept=(float(shares[0]), float(shares[1])) if method == "pca" else None,
        neighbours=_same_class(points, labels),
        neighbours_before=_same_class(values, labels),
        features=features.shape[1],
    )


def principal_components(
    values: Float64[np.ndarray, "image feature"], most: int
) -> tuple[Float64[np.ndarray, "image component"], Float64[np.ndarray, " component"]]:
    """Coordinates along the directions of largest variance, and the share of the variance along each; two at least.

    >>> found, shares = principal_components(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), 2)
    >>> found[:, 0].round(6).tolist(), shares.round(6).tolist()
    ([-5.0, 0.0, 5.0], [1.0, 0.0])

    The largest weight of each direction is positive, so that a map is never mirrored.
    """
    centred = values - values.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    directions = directions[:most] * signs[:most, None]
    found, variance = centred @ directions.T, sizes**2
    shares = (variance / variance.sum() if variance.sum() else np.zeros_like(variance))[:most]
    if found.shape[1] < 2:  # a single feature has no second axis
        found, shares = np.pad(found, ((0, 0), (0, 1))), np.pad(shares, (0, 1))
    return found, shares


def _tsne(
    components: Float64[np.ndarray, "image component"], seed: int, perplexity: float
) -> Float64[np.ndarray, "image 2"]:
    from sklearn.manifold import TSNE

    if not 1 < perplexity < len(components):
        raise UsageError(
            f"perplexity={perplexity:g} for {len(components)} images: it is about the number of neighbours that"
            " count, above 1 and below the number of images; 30 is common, a tenth of the images for few."
        )
    start: Any = components[:, :2] / (components[:, 0].std() or 1.0) * 1e-4
    found = TSNE(n_components=2, perplexity=perplexity, init=start, learning_rate="auto", random_state=seed)
    return found.fit_transform(components).astype(np.float64)


def _same_class(values: Float64[np.ndarray, "image axis"], labels: Int[np.ndarray, " image"]) -> Number:
    """How often the nearest other image is of the same class."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1).fit(values).kneighbors(return_distance=False)[:, 0]
    return wilson(int((labels[nearest] == labels).sum()), len(labels))


def _last_layer(network: Network, inputs: Tensor) -> Tensor:
    """What enters the last layer with weights that the images meet in the head."""
    with_weights = {
        name: layer
        for name, layer in network.head.named_modules()
        if next(layer.children(), None) is None
        and next(chain(layer.parameters(), layer.buffers()), None) is not None
    }
    met = list(tapped(network, inputs, with_weights).values())
    if not met or met[-1].entered is None:
        raise ModelError(
            "The network's head has no layer with weights, so there is nothing that its last layer reads; give the"
            " network a head, as striate.wrap does where it finds one."
        )
    return met[-1].entered
