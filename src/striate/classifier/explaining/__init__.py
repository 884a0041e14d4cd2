"""Reasons for answers: one picture's, those of many as files, and what a network has learned, as pages and figures."""

from striate.classifier.explaining.reason import Reason as Reason
