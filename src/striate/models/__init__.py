"""Networks: named stages and a head, by name from a catalogue."""

from striate.models.catalogue import create_model, model_entry, model_names
from striate.models.changes import Changes
from striate.models.checkpoints import read_published
from striate.models.entry import Entry
from striate.models.fitting import fit_weights
from striate.models.initialise import initialise
from striate.models.layers import Layer
from striate.models.network import Network
from striate.models.published import Scaling, load_published, published_scaling
from striate.models.summary import Summary, summarize
from striate.models.timm_names import from_timm
from striate.models.torchvision_names import from_torchvision
from striate.models.walk import Row
from striate.models.weights import load_weights, save_weights, weights_bytes
from striate.models.wrapping import wrap

__all__ = [
    "Changes",
    "Entry",
    "Layer",
    "Network",
    "Row",
    "Scaling",
    "Summary",
    "create_model",
    "fit_weights",
    "from_timm",
    "from_torchvision",
    "initialise",
    "load_published",
    "load_weights",
    "model_entry",
    "model_names",
    "published_scaling",
    "read_published",
    "save_weights",
    "summarize",
    "weights_bytes",
    "wrap",
]
