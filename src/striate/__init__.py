"""Convolutional image recognition you can check: from images to a verdict with intervals.

The public names are listed here one by one and imported when first used, so that `import striate` loads no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.classifier import Answer as Answer
    from striate.classifier import Classifier as Classifier
    from striate.classifier.comparison.comparing import compare as compare
    from striate.classifier.curve.learning import learning_curve as learning_curve
    from striate.classifier.explaining.choices import ExplanationChoices as ExplanationChoices
    from striate.classifier.explaining.choices import MethodChoice as MethodChoice
    from striate.classifier.explaining.choices import explanation_choices as explanation_choices
    from striate.classifier.explaining.choices import explanation_options as explanation_options
    from striate.classifier.explaining.class_plane import write_class_map as write_class_map
    from striate.classifier.explaining.figures import Figure as Figure
    from striate.classifier.explaining.figures import seen_part as seen_part
    from striate.classifier.explaining.figures import write_feature_maps as write_feature_maps
    from striate.classifier.explaining.figures import write_filters as write_filters
    from striate.classifier.explaining.figures import write_strongest as write_strongest
    from striate.classifier.explaining.method_table import write_method_table as write_method_table
    from striate.classifier.explaining.pictures import Explained as Explained
    from striate.classifier.explaining.pictures import explain_pictures as explain_pictures
    from striate.classifier.explaining.reason import Reason as Reason
    from striate.classifier.exporting import Exported as Exported
    from striate.classifier.folds.folding import cross_validate as cross_validate
    from striate.classifier.following import TrainingProgress as TrainingProgress
    from striate.classifier.following import training_progress as training_progress
    from striate.classifier.probes.probed import Probe as Probe
    from striate.classifier.probes.probing import probe_stages as probe_stages
    from striate.classifier.responding import Responder as Responder
    from striate.data import Images as Images
    from striate.data import load_images as load_images
    from striate.data.audit import Audit as Audit
    from striate.data.batches import Batches as Batches
    from striate.data.batches import to_input as to_input
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
    from striate.evaluation.comparing.comparison import Comparison as Comparison
    from striate.evaluation.decisions.decision import Decision as Decision
    from striate.evaluation.folds import FoldsVerdict as FoldsVerdict
    from striate.evaluation.learning.learning_curve import LearningCurve as LearningCurve
    from striate.evaluation.learning.learning_points import CurveTraining as CurveTraining
    from striate.evaluation.reporting.beside import beside_answers as beside_answers
    from striate.evaluation.reporting.comparison_text import comparison_text as comparison_text
    from striate.evaluation.reporting.folds_text import fold_line as fold_line
    from striate.evaluation.reporting.folds_text import folds_text as folds_text
    from striate.evaluation.reporting.text import verdict_text as verdict_text
    from striate.explanation import attribute as attribute
    from striate.explanation.ascent import PixelScale as PixelScale
    from striate.explanation.ascent import Regularisers as Regularisers
    from striate.explanation.cells import Cell as Cell
    from striate.explanation.cells import channel_kernels as channel_kernels
    from striate.explanation.cells import work_cell as work_cell
    from striate.explanation.checks import CheckTable as CheckTable
    from striate.explanation.checks import RemovalPlan as RemovalPlan
    from striate.explanation.checks import check_explanations as check_explanations
    from striate.explanation.class_map import class_map as class_map
    from striate.explanation.class_map import penultimate as penultimate
    from striate.explanation.deconvnet import project as project
    from striate.explanation.feature_maps import feature_maps as feature_maps
    from striate.explanation.feature_maps import side_by_side as side_by_side
    from striate.explanation.filters import filters as filters
    from striate.explanation.inversion import invert as invert
    from striate.explanation.layer_maps import layer_maps as layer_maps
    from striate.explanation.layer_maps import stage_maps as stage_maps
    from striate.explanation.layers_of import NetworkTable as NetworkTable
    from striate.explanation.layers_of import network_table as network_table
    from striate.explanation.maximisation import maximise as maximise
    from striate.explanation.projector import write_projector as write_projector
    from striate.explanation.strongest import strongest as strongest
    from striate.explanation.top_nine import top_nine_figure as top_nine_figure
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
    from striate.pixels.examples import EXAMPLE_PICTURES as EXAMPLE_PICTURES
    from striate.pixels.examples import example_picture as example_picture
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
    from striate.pixels.preview import Preview as Preview
    from striate.pixels.preview import preview as preview
    from striate.pixels.properties import count_convolution as count_convolution
    from striate.pixels.properties import count_dense as count_dense
    from striate.pixels.properties import equivariance as equivariance
    from striate.pixels.properties import invariance as invariance
    from striate.pixels.raw import raw_values as raw_values
    from striate.pixels.reading import read_picture as read_picture
    from striate.pixels.results import ColourScale as ColourScale
    from striate.pixels.results import colour_scale as colour_scale
    from striate.pixels.results import filter_sheet as filter_sheet
    from striate.pixels.results import write_filtered as write_filtered
    from striate.pixels.showing import show_convolution as show_convolution
    from striate.pixels.showing import show_pooling as show_pooling
    from striate.pixels.steps import pool_step_text as pool_step_text
    from striate.pixels.steps import step_text as step_text
    from striate.pixels.steps import work_step as work_step
    from striate.pixels.working_copy import WorkingCopy as WorkingCopy
    from striate.pixels.working_copy import working_copy as working_copy
    from striate.pixels.writing import FILTER_ENDINGS as FILTER_ENDINGS
    from striate.pixels.writing import write_picture as write_picture
    from striate.serving.listening.running import serve as serve
    from striate.shapes import input_sizes as input_sizes
    from striate.shapes import output_size as output_size
    from striate.shapes import receptive_field as receptive_field
    from striate.shapes import same_padding_ends as same_padding_ends
    from striate.training.events import Events as Events
    from striate.training.memory import step_memory as step_memory
    from striate.training.recipe import Recipe as Recipe

HOMES = {
    "Answer": "striate.classifier",
    "Audit": "striate.data.audit",
    "Batches": "striate.data.batches",
    "Cell": "striate.explanation.cells",
    "Changes": "striate.models",
    "CheckTable": "striate.explanation.checks",
    "Classifier": "striate.classifier",
    "ColourScale": "striate.pixels.results",
    "Comparison": "striate.evaluation.comparing.comparison",
    "CurveTraining": "striate.evaluation.learning.learning_points",
    "Decision": "striate.evaluation.decisions.decision",
    "EXAMPLE_PICTURES": "striate.pixels.examples",
    "Events": "striate.training.events",
    "Explained": "striate.classifier.explaining.pictures",
    "ExplanationChoices": "striate.classifier.explaining.choices",
    "Exported": "striate.classifier.exporting",
    "FILTER_ENDINGS": "striate.pixels.writing",
    "Figure": "striate.classifier.explaining.figures",
    "FoldsVerdict": "striate.evaluation.folds",
    "ImageError": "striate.errors",
    "Images": "striate.data",
    "Interrupted": "striate.errors",
    "LearningCurve": "striate.evaluation.learning.learning_curve",
    "MethodChoice": "striate.classifier.explaining.choices",
    "ModelError": "striate.errors",
    "NamedData": "striate.data.named.registry",
    "Network": "striate.models",
    "NetworkTable": "striate.explanation.layers_of",
    "Number": "striate.evaluation",
    "Picture": "striate.pixels.picture",
    "PixelScale": "striate.explanation.ascent",
    "Preparation": "striate.pixels",
    "Preview": "striate.pixels.preview",
    "Probe": "striate.classifier.probes.probed",
    "Reason": "striate.classifier.explaining.reason",
    "Recipe": "striate.training.recipe",
    "Regularisers": "striate.explanation.ascent",
    "RemovalPlan": "striate.explanation.checks",
    "Responder": "striate.classifier.responding",
    "RunError": "striate.errors",
    "SourceError": "striate.errors",
    "StriateError": "striate.errors",
    "TrainingError": "striate.errors",
    "TrainingProgress": "striate.classifier.following",
    "UsageError": "striate.errors",
    "Verdict": "striate.evaluation",
    "Window": "striate.pixels.picture",
    "WorkingCopy": "striate.pixels.working_copy",
    "activations": "striate.pixels",
    "attribute": "striate.explanation",
    "beside_answers": "striate.evaluation.reporting.beside",
    "channel_kernels": "striate.explanation.cells",
    "check_explanations": "striate.explanation.checks",
    "class_map": "striate.explanation.class_map",
    "colour_scale": "striate.pixels.results",
    "compare": "striate.classifier.comparison.comparing",
    "comparison_text": "striate.evaluation.reporting.comparison_text",
    "convolve": "striate.pixels.convolution",
    "count_convolution": "striate.pixels.properties",
    "count_dense": "striate.pixels.properties",
    "create_model": "striate.models",
    "cross_validate": "striate.classifier.folds.folding",
    "download_data": "striate.data.named.downloads",
    "equivariance": "striate.pixels.properties",
    "example_picture": "striate.pixels.examples",
    "explain_pictures": "striate.classifier.explaining.pictures",
    "explanation_choices": "striate.classifier.explaining.choices",
    "explanation_options": "striate.classifier.explaining.choices",
    "feature_maps": "striate.explanation.feature_maps",
    "filter_sheet": "striate.pixels.results",
    "filters": "striate.explanation.filters",
    "fold_line": "striate.evaluation.reporting.folds_text",
    "folds_text": "striate.evaluation.reporting.folds_text",
    "gradient_direction": "striate.pixels.filtering",
    "gradient_magnitude": "striate.pixels.filtering",
    "input_sizes": "striate.shapes",
    "invariance": "striate.pixels.properties",
    "invert": "striate.explanation.inversion",
    "is_downloaded": "striate.data.named.downloads",
    "judge": "striate.evaluation",
    "kernels": "striate.pixels",
    "layer_maps": "striate.explanation.layer_maps",
    "learning_curve": "striate.classifier.curve.learning",
    "load_images": "striate.data",
    "max_pool": "striate.pixels.pooling",
    "maximise": "striate.explanation.maximisation",
    "merge_channels": "striate.pixels.filtering",
    "model_entry": "striate.models",
    "model_names": "striate.models",
    "named_data": "striate.data.named.downloads",
    "network_table": "striate.explanation.layers_of",
    "one_hot": "striate.pixels.filtering",
    "output_size": "striate.shapes",
    "penultimate": "striate.explanation.class_map",
    "pool": "striate.pixels.pooling",
    "pool_step_text": "striate.pixels.steps",
    "preview": "striate.pixels.preview",
    "probe_stages": "striate.classifier.probes.probing",
    "project": "striate.explanation.deconvnet",
    "quantise": "striate.pixels.filtering",
    "raw_values": "striate.pixels.raw",
    "read_image": "striate.pixels",
    "read_picture": "striate.pixels.reading",
    "receptive_field": "striate.shapes",
    "same_padding_ends": "striate.shapes",
    "sample": "striate.pixels.filtering",
    "seen_part": "striate.classifier.explaining.figures",
    "serve": "striate.serving.listening.running",
    "show_convolution": "striate.pixels.showing",
    "show_pooling": "striate.pixels.showing",
    "side_by_side": "striate.explanation.feature_maps",
    "split_channels": "striate.pixels.filtering",
    "stack_images": "striate.pixels.filtering",
    "stage_maps": "striate.explanation.layer_maps",
    "step_memory": "striate.training.memory",
    "step_text": "striate.pixels.steps",
    "storage_bytes": "striate.pixels.filtering",
    "strongest": "striate.explanation.strongest",
    "summarize": "striate.models",
    "to_grey": "striate.pixels.filtering",
    "to_input": "striate.data.batches",
    "top_nine_figure": "striate.explanation.top_nine",
    "training_progress": "striate.classifier.following",
    "unpool": "striate.pixels.pooling",
    "verdict_text": "striate.evaluation.reporting.text",
    "work_cell": "striate.explanation.cells",
    "work_step": "striate.pixels.steps",
    "working_copy": "striate.pixels.working_copy",
    "wrap": "striate.models",
    "write_class_map": "striate.classifier.explaining.class_plane",
    "write_feature_maps": "striate.classifier.explaining.figures",
    "write_filtered": "striate.pixels.results",
    "write_filters": "striate.classifier.explaining.figures",
    "write_method_table": "striate.classifier.explaining.method_table",
    "write_picture": "striate.pixels.writing",
    "write_projector": "striate.explanation.projector",
    "write_strongest": "striate.classifier.explaining.figures",
}
"""Where each public name lives."""

__all__ = [
    "EXAMPLE_PICTURES",
    "FILTER_ENDINGS",
    "Answer",
    "Audit",
    "Batches",
    "Cell",
    "Changes",
    "CheckTable",
    "Classifier",
    "ColourScale",
    "Comparison",
    "CurveTraining",
    "Decision",
    "Events",
    "Explained",
    "ExplanationChoices",
    "Exported",
    "Figure",
    "FoldsVerdict",
    "ImageError",
    "Images",
    "Interrupted",
    "LearningCurve",
    "MethodChoice",
    "ModelError",
    "NamedData",
    "Network",
    "NetworkTable",
    "Number",
    "Picture",
    "PixelScale",
    "Preparation",
    "Preview",
    "Probe",
    "Reason",
    "Recipe",
    "Regularisers",
    "RemovalPlan",
    "Responder",
    "RunError",
    "SourceError",
    "StriateError",
    "TrainingError",
    "TrainingProgress",
    "UsageError",
    "Verdict",
    "Window",
    "WorkingCopy",
    "activations",
    "attribute",
    "beside_answers",
    "channel_kernels",
    "check_explanations",
    "class_map",
    "colour_scale",
    "compare",
    "comparison_text",
    "convolve",
    "count_convolution",
    "count_dense",
    "create_model",
    "cross_validate",
    "download_data",
    "equivariance",
    "example_picture",
    "explain_pictures",
    "explanation_choices",
    "explanation_options",
    "feature_maps",
    "filter_sheet",
    "filters",
    "fold_line",
    "folds_text",
    "gradient_direction",
    "gradient_magnitude",
    "input_sizes",
    "invariance",
    "invert",
    "is_downloaded",
    "judge",
    "kernels",
    "layer_maps",
    "learning_curve",
    "load_images",
    "max_pool",
    "maximise",
    "merge_channels",
    "model_entry",
    "model_names",
    "named_data",
    "network_table",
    "one_hot",
    "output_size",
    "penultimate",
    "pool",
    "pool_step_text",
    "preview",
    "probe_stages",
    "project",
    "quantise",
    "raw_values",
    "read_image",
    "read_picture",
    "receptive_field",
    "same_padding_ends",
    "sample",
    "seen_part",
    "serve",
    "show_convolution",
    "show_pooling",
    "side_by_side",
    "split_channels",
    "stack_images",
    "stage_maps",
    "step_memory",
    "step_text",
    "storage_bytes",
    "strongest",
    "summarize",
    "to_grey",
    "to_input",
    "top_nine_figure",
    "training_progress",
    "unpool",
    "verdict_text",
    "work_cell",
    "work_step",
    "working_copy",
    "wrap",
    "write_class_map",
    "write_feature_maps",
    "write_filtered",
    "write_filters",
    "write_method_table",
    "write_picture",
    "write_projector",
    "write_strongest",
]


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(importlib.import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
