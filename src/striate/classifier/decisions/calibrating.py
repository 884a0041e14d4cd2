"""What mends a trained network's probabilities: fitted to one half of validation, the other left for decisions."""

from typing import Any

import numpy as np

from striate.classifier.material import Decoded
from striate.classifier.prediction import Predictor
from striate.data import Images
from striate.data.units import units
from striate.errors import RunError, StriateError
from striate.evaluation.decisions.calibration import (
    Calibration,
    VectorScaling,
    calibration_of,
    fit_temperature,
    fit_vector,
)
from striate.models import Network
from striate.run import RunFacts
from striate.training.device import answering_device
from striate.training.recipe import Recipe

FEWEST = 50
"""Images of a half of validation from which one number is fitted."""
FEWEST_GROUPS = 2


def calibrate(recipe: Recipe, network: Network, decoded: Decoded) -> dict[str, Any]:
    """The field `calibration` of a run: what was fitted, to how many images, or why nothing was.

    The images are the first half of validation, as `Images.halves` cuts them: no picture and no group of them is in
    the second, which operating points, thresholds and sets are chosen on.
    """
    if recipe.calibrate == "none":
        return {"kind": "none", "reason": "the recipe asks for none"}
    validation = decoded.images.of_split("validation")
    half, rest = validation.halves(recipe.seed)
    if min(len(half), len(rest)) < FEWEST or min(map(_units, (half, rest))) < FEWEST_GROUPS:
        why = f"a half of the {len(validation):,} validation images is too few: it takes {FEWEST}"
        return {"kind": "none", "reason": why}
    truth = half.labels.astype(np.int64)
    device = answering_device(recipe)
    predictor = Predictor(
        network, decoded.preparation, decoded.images.classes, views=recipe.views, device=device
    )
    logits = predictor.says_of_rows(decoded.pack.pixels, half.rows).logits
    fitted = (fit_vector if recipe.calibrate == "vector" else fit_temperature)(truth, logits)
    return {**fitted.to_dict(), "images": len(half)}


def calibration_in(about: dict[str, Any]) -> Calibration | None:
    """The calibration of a run; None where it has none. StriateError for what is no calibration."""
    saved = about.get("calibration") or {"kind": "none"}
    if not isinstance(saved, dict):
        raise StriateError(f"calibration is {saved!r}")
    if saved.get("kind") == "none":
        return None
    return calibration_of({name: value for name, value in saved.items() if name != "images"})


def require_calibration(run: RunFacts) -> None:
    """Refuse, with a RunError, a run whose calibration is none or is not of its classes."""
    try:
        found = calibration_in(run.about)
    except StriateError as error:
        raise RunError(
            f"{run.folder} was not written by this striate: {error} Train again, or update it."
        ) from error
    if isinstance(found, VectorScaling) and not len(found.factors) == len(found.offsets) == len(run.classes):
        raise RunError(
            f"{run.folder} has a calibration of other classes than its own; restore it, or train again."
        )


def _units(images: Images) -> int:
    assert images.digests is not None
    return len(units(images.digests, images.groups).keys)
