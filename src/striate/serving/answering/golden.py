"""The golden test: before the service calls itself ready, its whole path answers made-up pictures as the run does."""

import io

import numpy as np
from PIL import Image

import striate

TOLERANCE = 1e-5
SIDES = ((37, 53), (8, 8), (300, 200))
"""Heights and widths of the made-up pictures."""


def require_golden(classifier: "striate.Classifier", responder: "striate.Responder") -> None:
    """ModelError where an answer, alone or among others, is not the classifier's own."""
    units = classifier.preparation_.depth == "int16"
    files = [
        file_of(made_up(height, width, number), units=units) for number, (height, width) in enumerate(SIDES)
    ]
    known = [classifier.predict_one(data) for data in files]
    prepared = [(f"golden {number}", responder.prepare(data)) for number, data in enumerate(files)]
    together = responder.answers(prepared)
    alone = [responder.answers([one])[0] for one in prepared]
    for one, answers in zip(known, zip(together, alone, strict=True), strict=True):
        assert one.probabilities is not None, "a picture that was made can be read"
        for answer in answers:
            assert answer.probabilities is not None, "a prepared picture is answered"
            apart = max(abs(answer.probabilities[name] - p) for name, p in one.probabilities.items())
            if not apart <= TOLERANCE:
                raise striate.ModelError(
                    f"The golden test failed: a probability by {responder.engine} lies {apart:.1g} from the run's own,"
                    f" and {TOLERANCE} is allowed. --engine torch serves the run's own."
                )


def made_up(height: int, width: int, seed: int) -> np.ndarray:
    """A picture with slopes and noise, the same everywhere."""
    down, across = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(seed).integers(0, 64, (height, width))
    return ((down * 96 // height + across * 96 // width + noise) % 256).astype(np.uint8)


def file_of(pixels: np.ndarray, *, units: bool) -> bytes:
    """A picture as the bytes of a PNG file; measured units, which PNG cannot hold, as those of a .npy file."""
    buffer = io.BytesIO()
    if units:
        np.save(buffer, pixels.astype(np.int16))
    else:
        Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
