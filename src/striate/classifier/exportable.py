"""`Classifier.export`: the method, apart from the class that has it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier
    from striate.classifier.exporting import Exported


class Exportable:
    """What a classifier can be written to besides a run folder."""

    def export(
        self,
        path: str | os.PathLike,
        X: Any = None,
        y: Any = None,
        *,
        to: str = "onnx",
        quantise: bool = False,
        **asked: Any,
    ) -> "Exported":
        """Write one file, from decoded pixels to calibrated probabilities, and compare it with this classifier.

        `to` is "onnx" (`path` ends in .onnx) or "torch" (.pt2); the images to compare on are given as to `evaluate`.
        `quantise` writes a file of 8-bit weights too, and measures what it costs on them. Raises UsageError for what
        cannot be asked for, SourceError without images, and StriateError, leaving no new file, where a probability
        differs by more than 1e-4 or a package for ONNX is missing.
        """
        from striate.classifier.exporting import export_classifier

        classifier = cast("Classifier", self)
        classifier._require_fitted()
        return export_classifier(classifier, Path(path), X, y, to=to, quantise=quantise, **asked)
