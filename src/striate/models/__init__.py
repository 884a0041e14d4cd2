"""Networks: named stages and a head, by name from a catalogue."""

from striate.models.catalogue import Entry, create_model, model_entry, model_names
from striate.models.initialise import initialise
from striate.models.layers import Layer
from striate.models.network import Network
from striate.models.summary import Summary, summarize
from striate.models.walk import Row
from striate.models.weights import load_weights, save_weights, weights_bytes

__all__ = [
    "Entry",
    "Layer",
    "Network",
    "Row",
    "Summary",
    "create_model",
    "initialise",
    "load_weights",
    "model_entry",
    "model_names",
    "save_weights",
    "summarize",
    "weights_bytes",
]
