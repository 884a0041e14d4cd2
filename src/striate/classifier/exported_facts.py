"""What an exported file says of itself: classes, preparation, operating point, digests, and how it is to be fed."""

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from striate.models.weights import weights_bytes
from striate.pixels.preparation import FILE_WINDOW, Preparation
from striate.pixels.raw import LARGEST

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

NOTICE = "For research; not a medical device."
OUTPUTS = {
    "probabilities": "float32 batch × class, calibrated, in the order of classes",
    "logits": "float32 batch × class, before calibration; of several views the logarithm of their mean probability",
    "prepared": "float32 batch × channel × height × width, resized and normalised, before a patch is cut out of it",
}


def facts_of_export(classifier: "Classifier") -> dict[str, Any]:
    """The metadata of an exported file: nothing in it names an image, a person or a folder."""
    about, decision = classifier.about_, classifier.decision_
    return {
        "striate_version": version("striate"),
        "notice": NOTICE,
        "model": about["model"],
        "classes": list(classifier.class_names_),
        "preparation": classifier.preparation_.model_dump(),
        "views": classifier.recipe_.views,
        "calibration": about.get("calibration") or {"kind": "none"},
        "decision": None if decision is None else decision.to_dict(),
        "model_sha256": hashlib.sha256(weights_bytes(classifier.network_.state_dict())).hexdigest(),
        "preparation_sha256": hashlib.sha256(classifier.preparation_.model_dump_json().encode()).hexdigest(),
        "inputs": inputs_of(classifier.preparation_),
        "outputs": OUTPUTS,
        "outside": outside_of(classifier),
    }


def inputs_of(preparation: Preparation) -> dict[str, str]:
    """What is to be given, in words."""
    return {
        "pixels": "float32 batch × height × width × channel: decoded pixels of any size, orientation applied, raw"
        " values without any scaling, 1 channel (grey) or 3 (red, green, blue)",
        "full_scale": "float32 number: 255 where the pixels had 8 bits, 65535 where they had 16, 1 for floating-point"
        f" pixels and measured units; {LARGEST[preparation.depth]:.0f} where it is left out",
    }


def outside_of(classifier: "Classifier") -> list[str]:
    """What the file does not do, in sentences."""
    said = ["Decoding, and turning a picture as its file says, come before the file."]
    preparation, decision = classifier.preparation_, classifier.decision_
    if preparation.window == FILE_WINDOW:
        said.append(
            "Grey pixels must have gone through their own file's window: levels 0..65535, full_scale 65535."
        )
    if preparation.draft:
        said.append(
            "The run may decode a JPEG at a fraction of its size: probabilities of a full one differ a little."
        )
    said.append(
        "Pictures that the run refuses (fractions among whole numbers, values of another scale, values not finite) make"
        " no error: all outputs are not-a-number."
    )
    if decision is not None:
        said.append("Thresholds, abstaining and sets are in `decision`, to be applied to the probabilities.")
    if (
        decision is not None
        and decision.abstention
        and decision.abstention.score not in ("probability", "energy")
    ):
        said.append(
            "How sure a picture is takes distances to the training images, which are not in the file."
        )
    return said
