"""The classifier: fit, predict, score, evaluate, save, load; every other door of the package is one of these."""

from striate.classifier.answer import Answer
from striate.classifier.classifier import Classifier

__all__ = ["Answer", "Classifier"]
