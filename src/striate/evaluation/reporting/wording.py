"""How parts of a verdict are said, the same in the terminal and in the report."""

from collections.abc import Mapping

from striate.drawing.numbers import Estimate, percent_parts
from striate.evaluation.decisions.decision import OperatingVerdict

OUTCOMES = {"reached": "reached", "missed": "missed", "open": "these images cannot tell", "": ""}


def outcome(one: OperatingVerdict) -> str:
    """Whether a wish is reached on these images, in words; nothing for a wish without a least rate."""
    return OUTCOMES[one.outcome()]


def calibration_words(calibration: Mapping[str, object]) -> str:
    """Kind and value of a calibration.

    >>> calibration_words({"kind": "temperature", "value": 1.3249})
    'temperature 1.32'
    """
    if calibration.get("kind") == "temperature":
        value = calibration["value"]
        assert isinstance(value, int | float)
        return f"temperature {value:.3g}"
    return "vector scaling (a factor and an offset for each class)"


def threshold_text(value: float) -> str:
    """A threshold with as many digits as tell it from 0 and from 1.

    >>> threshold_text(0.61234), threshold_text(0.999962), threshold_text(0.00012), threshold_text(-12.345)
    ('0.61', '0.999962', '0.00012', '−12.3')
    """
    if not 0 < value < 1:
        return f"{value:.3g}".replace("-", "−")
    reach = 0.05 * min(value, 1 - value)
    texts = [f"{value:.{digits}f}" for digits in range(2, 12)]
    return next((text for text in texts if abs(float(text) - value) <= reach), texts[-1])


def plain_percent(value: float) -> str:
    """A share that has no interval, in per cent; only what is 0 or 100 % is written so.

    >>> plain_percent(0.9321), plain_percent(0.99996), plain_percent(1.0), plain_percent(0.9)
    ('93.2', '99.996', '100', '90.0')
    """
    if value in (0.0, 1.0):
        return f"{100 * value:.0f}"
    texts = [f"{100 * value:.{digits}f}" for digits in range(1, 8)]
    return next((text for text in texts if 0 < float(text) < 100), texts[-1])


def signed_points(number: Estimate) -> str:
    """A difference of shares with its interval, in percentage points.

    >>> from striate.evaluation.intervals import Number
    >>> signed_points(Number(-0.124, -0.191, -0.052, 70))
    '−12 (−19 to −5)'
    """
    value, low, high = (text.replace("-", "−") for text in percent_parts(number))
    return value if "–" in (low, high) else f"{value} ({low} to {high})"


def counted(n: int, noun: str) -> str:
    """So many of a thing.

    >>> counted(1, "image"), counted(1797, "group")
    ('1 image', '1,797 groups')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
