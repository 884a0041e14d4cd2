"""The classifier: fit, predict, score, evaluate, save, load; every other door of the package is one of these."""

from striate.classifier.classifier import Classifier
from striate.classifier.prediction import Answer

__all__ = ["Answer", "Classifier"]
