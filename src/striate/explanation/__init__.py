"""What a network has learned and what it looked at: every method through the network's two seams."""

from striate.explanation.methods import DEFAULT, METHODS, Attribution, attribute
from striate.explanation.stages import default_stage, map_shapes

__all__ = ["DEFAULT", "METHODS", "Attribution", "attribute", "default_stage", "map_shapes"]
