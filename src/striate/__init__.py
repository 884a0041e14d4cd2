"""Convolutional image recognition you can check: from images to a verdict with intervals.

The public names are listed here one by one and imported when first used, so that `import striate` loads no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.classifier import Answer as Answer
    from striate.classifier import Classifier as Classifier
    from striate.data import Images as Images
    from striate.data import load_images as load_images
    from striate.errors import ImageError as ImageError
    from striate.errors import Interrupted as Interrupted
    from striate.errors import ModelError as ModelError
    from striate.errors import RunError as RunError
    from striate.errors import SourceError as SourceError
    from striate.errors import StriateError as StriateError
    from striate.errors import TrainingError as TrainingError
    from striate.errors import UsageError as UsageError
    from striate.evaluation import Number as Number
    from striate.evaluation import Verdict as Verdict
    from striate.evaluation import judge as judge
    from striate.evaluation.text import verdict_text as verdict_text
    from striate.models import Network as Network
    from striate.models import create_model as create_model
    from striate.models import model_entry as model_entry
    from striate.models import model_names as model_names
    from striate.models import summarize as summarize
    from striate.pixels import Preparation as Preparation
    from striate.pixels import read_image as read_image
    from striate.training.events import Events as Events
    from striate.training.recipe import Recipe as Recipe

HOMES = {
    "Answer": "striate.classifier",
    "Classifier": "striate.classifier",
    "Events": "striate.training.events",
    "ImageError": "striate.errors",
    "Images": "striate.data",
    "Interrupted": "striate.errors",
    "ModelError": "striate.errors",
    "Network": "striate.models",
    "Number": "striate.evaluation",
    "Preparation": "striate.pixels",
    "Recipe": "striate.training.recipe",
    "RunError": "striate.errors",
    "SourceError": "striate.errors",
    "StriateError": "striate.errors",
    "TrainingError": "striate.errors",
    "UsageError": "striate.errors",
    "Verdict": "striate.evaluation",
    "create_model": "striate.models",
    "judge": "striate.evaluation",
    "load_images": "striate.data",
    "model_entry": "striate.models",
    "model_names": "striate.models",
    "read_image": "striate.pixels",
    "summarize": "striate.models",
    "verdict_text": "striate.evaluation.text",
}
"""Where each public name lives."""

__all__ = [
    "Answer",
    "Classifier",
    "Events",
    "ImageError",
    "Images",
    "Interrupted",
    "ModelError",
    "Network",
    "Number",
    "Preparation",
    "Recipe",
    "RunError",
    "SourceError",
    "StriateError",
    "TrainingError",
    "UsageError",
    "Verdict",
    "create_model",
    "judge",
    "load_images",
    "model_entry",
    "model_names",
    "read_image",
    "summarize",
    "verdict_text",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(importlib.import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
