"""What a service explains: methods within its limit of work, and a reason as JSON with the map's own numbers."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

import striate
from striate.serving.refusals import Refusal

LIGHTER = {"integrated_gradients": ("steps=32",), "smooth_grad": ("samples=8",), "occlusion": ()}
"""Settings of the methods of many passes that make them less work; occlusion's go by the picture's size."""
NOT_THE_TRUTH = (
    "A map shows what the answer depends on, not whether it is right; `striate explain RUN PICTURE --check` tests"
    " whether a map can be believed."
)


def methods_of(choices: striate.ExplanationChoices, most: int) -> dict[str, Any]:
    """Methods and stages for a page: each method with the settings it needs here, or why it is refused."""
    return {
        "methods": [_method(choices, one, most) for one in choices.methods],
        "stages": [asdict(one) for one in choices.stages],
        "stage": choices.stage,
    }


def _method(choices: striate.ExplanationChoices, method: striate.MethodChoice, most: int) -> dict[str, Any]:
    settings = settings_within(choices, method.name, most)
    refused, note = method.refused, None
    if refused is None and settings is None:
        refused = "it would take longer for this network than the service allows"
    elif refused is None and settings:
        note = f"With {', '.join(settings)}: more would take longer than the service allows."
    return {**asdict(method), "refused": refused, "set": list(settings or ()), "note": note}


def settings_within(choices: striate.ExplanationChoices, method: str, most: int) -> tuple[str, ...] | None:
    """The settings with which a method is within a limit of multiply-adds: none if it can be; None where none help."""
    lighter = LIGHTER.get(method, ())
    if method == "occlusion":
        rows, columns = (max(1, side // 4) for side in choices.input_shape[1:])
        lighter = (f"window={rows},{columns}", f"stride={rows},{columns}")
    for settings in ((), lighter):
        if choices.work(method, striate.explanation_options(method, settings)) <= most:
            return settings
    return None


def require_within(
    choices: striate.ExplanationChoices, method: str, options: dict[str, Any], most: int
) -> None:
    """Refusal 422 for more work than the service does for one picture."""
    work = choices.work(method, options)
    if work <= most:
        return
    settings = settings_within(choices, method, most)
    raise Refusal(
        422,
        f"{method} would take {work:.2g} multiply-adds for this network.",
        given=f"{work:.2g} multiply-adds",
        allowed=f"{most:.2g} multiply-adds",
        advice=_less(settings),
    )


def _less(settings: tuple[str, ...] | None) -> str:
    if settings is None:
        return "Choose a method of fewer passes: gradcam, saliency."
    return (
        f"Set {' and '.join(settings)}." if settings else "Leave the method's options as they are by default."
    )


def reason_of(
    classifier: striate.Classifier,
    choices: striate.ExplanationChoices,
    picture: striate.Picture,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """The reason for one picture as JSON: what `Reason.to_dict` tells, the map, the picture for the eye, and words."""
    reason = classifier.explain(picture, **asked)
    seen = striate.preview(reason.picture)
    given = picture.description
    low, high = float(reason.map.min()), float(reason.map.max())
    return {
        **reason.to_dict(),
        "digest": reason.digest,
        "values": array_of(reason.map),
        "scale": scale_of(low, high, signed=reason.about.signed),
        "picture": {
            "png": base64.b64encode(seen.png).decode(),
            "shape": list(reason.picture.shape),
            "depth": str(reason.picture.dtype),
            "words": seen.words,
        },
        "file": {
            "shape": [given.height, given.width, given.channels],
            "depth": given.depth,
            "format": given.format,
        },
        "caption": caption_of(reason, choices),
        "sentences": sentences_of(reason, picture, classifier.recipe_.views),
    }


def array_of(values: np.ndarray) -> dict[str, Any]:
    """An array for a page: little-endian, the last axis fastest, in base64."""
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False)
    return {
        "base64": base64.b64encode(little.tobytes()).decode(),
        "dtype": values.dtype.name,
        "shape": list(values.shape),
    }


def scale_of(low: float, high: float, *, signed: bool) -> dict[str, Any]:
    """What the colours of a map run over: zero in the middle where values have signs, else from zero on.

    >>> scale_of(-0.25, 1.0, signed=True)
    {'signed': True, 'limit': 1.0, 'low': '−1', 'high': '+1'}
    """
    limit = max(-low, high)
    ends = (f"−{limit:.3g}", f"+{limit:.3g}") if signed and limit else ("0", f"{limit:.3g}")
    return {"signed": signed, "limit": limit, "low": ends[0], "high": ends[1]}


def caption_of(reason: striate.Reason, choices: striate.ExplanationChoices) -> str:
    """Shape, range, what was asked, and what one cell is."""
    height, width = reason.map.shape
    where = f" of {reason.stage}" if reason.stage else ""
    span = f"{reason.map.min():.3g} to {reason.map.max():.3g}".replace("-", "−")
    return f"{height} × {width} · {span} · {reason.about.title}{where} for {reason.label} · {_cells(reason, choices)}"


def _cells(reason: striate.Reason, choices: striate.ExplanationChoices) -> str:
    rows, columns = reason.raw.shape[1:]
    sees = {one.name: one.sees for one in choices.stages}.get(reason.stage or "")
    if reason.stage is None:
        return "one value a pixel"
    return f"{rows} × {columns} cells" + (f", each sees {sees[0]} × {sees[1]} pixels" if sees else "")


def sentences_of(reason: striate.Reason, picture: striate.Picture, views: str) -> list[str]:
    """What whoever looks at the map must know, the most telling first."""
    given, (height, width, channels) = picture.description, reason.picture.shape
    top, left, rows, columns = reason.box
    said = [_colours(reason)]
    if reason.label != reason.answer.label:
        said.append(f"Explained is {reason.label}; the most the network says is {reason.answer.label}.")
    if reason.raw.shape[1:] != (rows, columns):
        said.append("The cells are enlarged smoothly: nothing finer than a cell is known.")
    if (rows, columns) != (height, width):
        said.append(
            f"The network sees {rows} × {columns} pixels in the middle, from row {top} and column {left} on."
        )
    if views != "one":
        said.append("The answer is the mean over several views of the picture; the map is of the middle one.")
    return [
        *said,
        f"The picture is as the network was given it: {height} × {width} × {channels} {reason.picture.dtype}, made"
        f" from {given.height} × {given.width} × {given.channels} {given.depth} ({given.format}).",
        NOT_THE_TRUTH,
    ]


def _colours(reason: striate.Reason) -> str:
    low, high = float(reason.map.min()), float(reason.map.max())
    if not (low or high):
        return "The map is 0 everywhere: nothing speaks for this class."
    stretched = "stretched to this map's own range, so colours of two maps cannot be compared."
    if reason.about.signed:
        return f"Red speaks for the class, blue against it, white is 0; {stretched}"
    return f"Dark is 0, bright is {high:.3g}; {stretched}"


def asked_of(
    method: str, stage: str | None, label: str | None, settings: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `Classifier.explain` takes, and the method's options in it; Refusal 400 for one that it does not have."""
    try:
        options = striate.explanation_options(method, settings)
    except striate.UsageError as error:  # in the words of the command line
        raise Refusal(400, str(error).removeprefix("--set "), advice="Send set=NAME=VALUE.") from error
    return {"method": method, "stage": stage or None, "label": label or None, **options}, options
