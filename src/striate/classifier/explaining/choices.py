"""What a classifier's answers can be explained by: methods, each with why it is refused, stages, and the work."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.classifier.explaining.options import options_of, read_options
from striate.errors import ModelError
from striate.explanation import METHODS, map_shapes
from striate.explanation.methods import known_method
from striate.explanation.passes import passes
from striate.explanation.stages import default_stage
from striate.models import Network, summarize

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class MethodChoice:
    """One method of explanation and this network.

    `of_stage` says whether it explains the maps of a stage, `signed` whether values below zero speak against the
    class; `refused` is why it cannot be right for the network, None where it can.
    """

    name: str
    title: str
    paper: str
    of_stage: bool
    signed: bool
    options: tuple[str, ...]
    refused: str | None


@dataclass(frozen=True, kw_only=True)
class StageChoice:
    """A stage that makes maps, `channel rows columns`, and how many pixels one cell sees, where that is known."""

    name: str
    maps: tuple[int, int, int]
    sees: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class ExplanationChoices:
    """Methods and stages of one classifier, and the stage that is looked at unless another is named.

    `multiply_adds` are those of one forward pass for one picture.
    """

    methods: tuple[MethodChoice, ...]
    stages: tuple[StageChoice, ...]
    stage: str | None
    input_shape: tuple[int, int, int]
    multiply_adds: int

    def work(self, method: str, options: dict[str, Any] | None = None) -> int:
        """Multiply-adds that one picture takes at most by a method; ModelError for an unknown one."""
        return self.multiply_adds * passes(method, self.input_shape, options)


def explanation_choices(classifier: "Classifier") -> ExplanationChoices:
    """By what a classifier's answers can be explained; runs the network on shapes alone.

    >>> from striate import Classifier, Recipe
    >>> import numpy as np
    >>> pictures = np.arange(40 * 64, dtype=np.uint8).reshape(40, 8, 8)
    >>> choices = explanation_choices(Classifier(Recipe(epochs=1)).fit(pictures, ["even", "odd"] * 20))
    >>> choices.stage, [one.name for one in choices.methods if not one.refused][:2]
    ('stage1', ['gradcam', 'gradcam_plus_plus'])
    """
    predictor = classifier.predictor_
    network, shape = predictor.network, predictor.preparation.input_shape()
    summary, maps = summarize(network, shape), map_shapes(network, shape)
    sees = {row.stage: row.receptive_field for row in summary.rows}
    return ExplanationChoices(
        methods=tuple(_choice(name, network, shape) for name in METHODS),
        stages=tuple(StageChoice(name=name, maps=sizes, sees=sees.get(name)) for name, sizes in maps.items()),
        stage=default_stage(network, shape) if maps else None,
        input_shape=shape,
        multiply_adds=summary.multiply_adds,
    )


def explanation_options(method: str, settings: Iterable[str]) -> dict[str, Any]:
    """The options of a method in `name=value` texts, as `Classifier.explain` takes them.

    >>> explanation_options("smooth_grad", ["samples=8", "sigma=0.2"])
    {'samples': 8, 'sigma': 0.2}

    Raises ModelError for an unknown method, UsageError for an option or a value that it does not have.
    """
    return read_options(known_method(method), settings)


def _choice(name: str, network: Network, shape: tuple[int, int, int]) -> MethodChoice:
    method = METHODS[name]
    return MethodChoice(
        name=name,
        title=method.title,
        paper=method.paper,
        of_stage=method.seam == "stage",
        signed=method.signed,
        options=tuple(options_of(method)),
        refused=_obstacle(name, network, shape),
    )


def _obstacle(name: str, network: Network, shape: tuple[int, int, int]) -> str | None:
    method = METHODS[name]
    if method.seam == "stage" and not map_shapes(network, shape):
        return "it explains maps, and no stage of this network makes any"
    try:
        return method.obstacle(network, shape, None)
    except ModelError as error:
        return str(error)
