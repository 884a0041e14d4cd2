"""`Classifier.export` and `.responder`: the methods, apart from the class that has them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier
    from striate.classifier.exporting import Exported
    from striate.classifier.responding import Responder


class Exportable:
    """What a classifier becomes for other programs: a file, or the answers of a service."""

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

    def responder(self, engine: str = "auto") -> "Responder":
        """What a service asks: prepared pictures answered together, by "onnxruntime" or "torch".

        "auto" takes onnxruntime where it is installed and can say what this classifier says, else torch. The first
        time, a graph is written to the cache. Raises UsageError for another engine; for "onnxruntime" StriateError
        where it is not installed, ModelError where it cannot answer for this classifier.
        """
        from striate.classifier.responding import responder_of

        classifier = cast("Classifier", self)
        classifier._require_fitted()
        return responder_of(classifier, engine)

    @property
    def facts_(self) -> "dict[str, Any]":
        """What other programs must know of this classifier, as plain values: classes, input, decision, digests.

        The same as the metadata of an exported file, and the network's parameters and multiply-adds. Nothing in it
        names an image, a person or a folder.
        """
        from striate.classifier.exported_facts import facts_of_export

        classifier = cast("Classifier", self)
        classifier._require_fitted()
        counts = {name: classifier.about_[name] for name in ("parameters", "multiply_adds")}
        return {**facts_of_export(classifier), **counts}
