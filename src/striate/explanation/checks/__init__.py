"""Checks on explanations: do they matter to the network, do they depend on what it learned, do they meet a mask."""

from striate.explanation.checks.check import Checks, check
from striate.explanation.checks.curves import Curves, RandomOrders, Removal
from striate.explanation.checks.deletion import random_orders, removal
from striate.explanation.checks.explainers import Explain, edge_maps, explainer, random_maps
from striate.explanation.checks.masks import Agreement, agreement
from striate.explanation.checks.plan import RemovalPlan
from striate.explanation.checks.randomisation import randomisation
from striate.explanation.checks.randomised import Randomisation
from striate.explanation.checks.table import CheckTable, check_explanations

__all__ = [
    "Agreement",
    "CheckTable",
    "Checks",
    "Curves",
    "Explain",
    "RandomOrders",
    "Randomisation",
    "Removal",
    "RemovalPlan",
    "agreement",
    "check",
    "check_explanations",
    "edge_maps",
    "explainer",
    "random_maps",
    "random_orders",
    "randomisation",
    "removal",
]
