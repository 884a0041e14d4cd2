"""Convolutional image recognition you can check: from images to a verdict with intervals.

The public names are listed here one by one and imported when first used, so that `import striate` loads no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.classifier import Answer as Answer
    from striate.classifier import Classifier as Classifier
    from striate.classifier.comparing import compare as compare
    from striate.classifier.probed import Probe as Probe
    from striate.classifier.probing import probe_stages as probe_stages
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
    from striate.evaluation.comparison import Comparison as Comparison
    from striate.evaluation.comparison_text import comparison_text as comparison_text
    from striate.evaluation.text import verdict_text as verdict_text
    from striate.models import Changes as Changes
    from striate.models import Network as Network
    from striate.models import create_model as create_model
    from striate.models import model_entry as model_entry
    from striate.models import model_names as model_names
    from striate.models import summarize as summarize
    from striate.models import wrap as wrap
    from striate.pixels import Preparation as Preparation
    from striate.pixels import activations as activations
    from striate.pixels import kernels as kernels
    from striate.pixels import read_image as read_image
    from striate.pixels.convolution import convolve as convolve
    from striate.pixels.filtering import gradient_direction as gradient_direction
    from striate.pixels.filtering import gradient_magnitude as gradient_magnitude
    from striate.pixels.filtering import merge_channels as merge_channels
    from striate.pixels.filtering import one_hot as one_hot
    from striate.pixels.filtering import quantise as quantise
    from striate.pixels.filtering import sample as sample
    from striate.pixels.filtering import split_channels as split_channels
    from striate.pixels.filtering import stack_images as stack_images
    from striate.pixels.filtering import storage_bytes as storage_bytes
    from striate.pixels.filtering import to_grey as to_grey
    from striate.pixels.picture import Picture as Picture
    from striate.pixels.picture import Window as Window
    from striate.pixels.pooling import max_pool as max_pool
    from striate.pixels.pooling import pool as pool
    from striate.pixels.pooling import unpool as unpool
    from striate.pixels.properties import count_convolution as count_convolution
    from striate.pixels.properties import count_dense as count_dense
    from striate.pixels.properties import equivariance as equivariance
    from striate.pixels.properties import invariance as invariance
    from striate.pixels.reading import read_picture as read_picture
    from striate.pixels.results import filter_sheet as filter_sheet
    from striate.pixels.results import write_filtered as write_filtered
    from striate.pixels.showing import show_convolution as show_convolution
    from striate.pixels.showing import show_pooling as show_pooling
    from striate.pixels.steps import pool_step_text as pool_step_text
    from striate.pixels.steps import step_text as step_text
    from striate.pixels.steps import work_step as work_step
    from striate.pixels.writing import FILTER_ENDINGS as FILTER_ENDINGS
    from striate.pixels.writing import write_picture as write_picture
    from striate.shapes import input_sizes as input_sizes
    from striate.shapes import output_size as output_size
    from striate.shapes import receptive_field as receptive_field
    from striate.shapes import same_padding_ends as same_padding_ends
    from striate.training.events import Events as Events
    from striate.training.recipe import Recipe as Recipe

HOMES = {
    "Answer": "striate.classifier",
    "Audit": "striate.data.audit",
    "Changes": "striate.models",
    "Classifier": "striate.classifier",
    "Comparison": "striate.evaluation.comparison",
    "Events": "striate.training.events",
    "FILTER_ENDINGS": "striate.pixels.writing",
    "ImageError": "striate.errors",
    "Images": "striate.data",
    "Interrupted": "striate.errors",
    "ModelError": "striate.errors",
    "NamedData": "striate.data.named.registry",
    "Network": "striate.models",
    "Number": "striate.evaluation",
    "Picture": "striate.pixels.picture",
    "Preparation": "striate.pixels",
    "Probe": "striate.classifier.probed",
    "Recipe": "striate.training.recipe",
    "RunError": "striate.errors",
    "SourceError": "striate.errors",
    "StriateError": "striate.errors",
    "TrainingError": "striate.errors",
    "UsageError": "striate.errors",
    "Verdict": "striate.evaluation",
    "Window": "striate.pixels.picture",
    "activations": "striate.pixels",
    "compare": "striate.classifier.comparing",
    "comparison_text": "striate.evaluation.comparison_text",
    "convolve": "striate.pixels.convolution",
    "count_convolution": "striate.pixels.properties",
    "count_dense": "striate.pixels.properties",
    "create_model": "striate.models",
    "download_data": "striate.data.named.downloads",
    "equivariance": "striate.pixels.properties",
    "filter_sheet": "striate.pixels.results",
    "gradient_direction": "striate.pixels.filtering",
    "gradient_magnitude": "striate.pixels.filtering",
    "input_sizes": "striate.shapes",
    "invariance": "striate.pixels.properties",
    "is_downloaded": "striate.data.named.downloads",
    "judge": "striate.evaluation",
    "kernels": "striate.pixels",
    "load_images": "striate.data",
    "max_pool": "striate.pixels.pooling",
    "merge_channels": "striate.pixels.filtering",
    "model_entry": "striate.models",
    "model_names": "striate.models",
    "named_data": "striate.data.named.downloads",
    "one_hot": "striate.pixels.filtering",
    "output_size": "striate.shapes",
    "pool": "striate.pixels.pooling",
    "pool_step_text": "striate.pixels.steps",
    "probe_stages": "striate.classifier.probing",
    "quantise": "striate.pixels.filtering",
    "read_image": "striate.pixels",
    "read_picture": "striate.pixels.reading",
    "receptive_field": "striate.shapes",
    "same_padding_ends": "striate.shapes",
    "sample": "striate.pixels.filtering",
    "show_convolution": "striate.pixels.showing",
    "show_pooling": "striate.pixels.showing",
    "split_channels": "striate.pixels.filtering",
    "stack_images": "striate.pixels.filtering",
    "step_text": "striate.pixels.steps",
    "storage_bytes": "striate.pixels.filtering",
    "summarize": "striate.models",
    "to_grey": "striate.pixels.filtering",
    "unpool": "striate.pixels.pooling",
    "verdict_text": "striate.evaluation.text",
    "work_step": "striate.pixels.steps",
    "wrap": "striate.models",
    "write_filtered": "striate.pixels.results",
    "write_picture": "striate.pixels.writing",
}
"""Where each public name lives."""

__all__ = [
    "FILTER_ENDINGS",
    "Answer",
    "Audit",
    "Changes",
    "Classifier",
    "Comparison",
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
    "Probe",
    "Recipe",
    "RunError",
    "SourceError",
    "StriateError",
    "TrainingError",
    "UsageError",
    "Verdict",
    "Window",
    "activations",
    "compare",
    "comparison_text",
    "convolve",
    "count_convolution",
    "count_dense",
    "create_model",
    "download_data",
    "equivariance",
    "filter_sheet",
    "gradient_direction",
    "gradient_magnitude",
    "input_sizes",
    "invariance",
    "is_downloaded",
    "judge",
    "kernels",
    "load_images",
    "max_pool",
    "merge_channels",
    "model_entry",
    "model_names",
    "named_data",
    "one_hot",
    "output_size",
    "pool",
    "pool_step_text",
    "probe_stages",
    "quantise",
    "read_image",
    "read_picture",
    "receptive_field",
    "same_padding_ends",
    "sample",
    "show_convolution",
    "show_pooling",
    "split_channels",
    "stack_images",
    "step_text",
    "storage_bytes",
    "summarize",
    "to_grey",
    "unpool",
    "verdict_text",
    "work_step",
    "wrap",
    "write_filtered",
    "write_picture",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(importlib.import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
