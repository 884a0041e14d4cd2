"""scikit-learn's contract for a classifier, kept without importing scikit-learn: its import costs half of torch's.

Its guide "Developing scikit-learn estimators" says what an estimator is by what it has, not by its base class.
"""

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.utils import Tags


class Contract:
    """What `clone`, `cross_val_score` and searches ask of a classifier whose constructor only stores.

    >>> class Guess(Contract):
    ...     def __init__(self, label="cat", *, seed=0):
    ...         self.label, self.seed = label, seed
    >>> Guess(seed=3).get_params(), Guess().set_params(label="dog")
    ({'label': 'cat', 'seed': 3}, Guess(label='dog'))
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What the constructor was given, by name; there are no estimators inside, so `deep` changes nothing."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Any:
        """The same object with other parameters; ValueError for one that the constructor does not have."""
        known = self._defaults()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}; valid ones are {', '.join(known)}. "
                    "Fields of a recipe are set in the recipe."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name, default in self._defaults().items()
            if getattr(self, name) is not default
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_tags__(self) -> "Tags":
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            classifier_tags=ClassifierTags(),
            regressor_tags=None,
        )

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return {parameter.name: parameter.default for parameter in parameters}


def not_fitted(sentence: str) -> Exception:
    """scikit-learn's error for a classifier that is asked before it has learned."""
    from sklearn.exceptions import NotFittedError

    return NotFittedError(sentence)


def share_right(truth: Any, predicted: Any, weights: Any) -> float:
    """Accuracy as scikit-learn counts it."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(truth, predicted, sample_weight=weights))
