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
    from striate.data.audit import Audit as Audit
    from striate.data.named.downloads import download_data as download_data
    from striate.data.named.downloads import is_downloaded as is_downloaded
    from striate.data.named.downloads import named_data as named_data
    from striate.data.named.registry import NamedData as NamedData
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
    from striate.pixels.picture import Picture as Picture
    from striate.pixels.picture import Window as Window
    from striate.pixels.reading import read_picture as read_picture
    from striate.training.events import Events as Events
    from striate.training.recipe import Recipe as Recipe

HOMES = {
    "Answer": "striate.classifier",
    "Audit": "striate.data.audit",
    "Classifier": "striate.classifier",
    "Events": "striate.training.events",
    "ImageError": "striate.errors",
    "Images": "striate.data",
    "Interrupted": "striate.errors",
    "ModelError": "striate.errors",
    "NamedData": "striate.data.named.registry",
    "Network": "striate.models",
    "Number": "striate.evaluation",
    "Picture": "striate.pixels.picture",
    "Preparation": "striate.pixels",
    "Recipe": "striate.training.recipe",
    "RunError": "striate.errors",
    "SourceError": "striate.errors",
    "StriateError": "striate.errors",
    "TrainingError": "striate.errors",
    "UsageError": "striate.errors",
    "Verdict": "striate.evaluation",
    "Window": "striate.pixels.picture",
    "create_model": "striate.models",
    "download_data": "striate.data.named.downloads",
    "is_downloaded": "striate.data.named.downloads",
    "judge": "striate.evaluation",
    "load_images": "striate.data",
    "model_entry": "striate.models",
    "model_names": "striate.models",
    "named_data": "striate.data.named.downloads",
    "read_image": "striate.pixels",
    "read_picture": "striate.pixels.reading",
    "summarize": "striate.models",
    "verdict_text": "striate.evaluation.text",
}
"""Where each public name lives."""

__all__ = [
    "Answer",
    "Audit",
    "Classifier",
    "Events",
    "ImageError",
    "Images",
    "Interrupted",
    "ModelError",
    "NamedData",
    "Network",
    "Number",
    "Picture",
    "Preparation",
    "Recipe",
    "RunError",
    "SourceError",
    "StriateError",
    "TrainingError",
    "UsageError",
    "Verdict",
    "Window",
    "create_model",
    "download_data",
    "is_downloaded",
    "judge",
    "load_images",
    "model_entry",
    "model_names",
    "named_data",
    "read_image",
    "read_picture",
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
