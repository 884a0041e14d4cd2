"""The mean over images with its interval."""

import numpy as np
from jaxtyping import Float64

from striate.evaluation.intervals import CONFIDENCE, Number, undefined

SHARE, CORRELATION, ANYTHING = (0.0, 1.0), (-1.0, 1.0), (-np.inf, np.inf)
"""Between which values a mean lies."""


ALIKE = 1e-9
"""Values that differ by less differ by rounding."""


def mean_number(
    values: Float64[np.ndarray, " cases"],
    bounds: tuple[float, float] = ANYTHING,
    confidence: float = CONFIDENCE,
) -> Number:
    """The mean with Student's t interval.

    >>> number = mean_number(np.array([0.2, 0.3, 0.4]))
    >>> round(number.value, 3), round(number.low, 3), round(number.high, 3), number.n
    (0.3, 0.052, 0.548, 3)

    Limits stay within `bounds`. Values that are NaN are left out, and counted in `reason`. One value, or equal ones,
    have no interval.
    """
    known = values[np.isfinite(values)]
    left_out = len(values) - len(known)
    reason = f"{left_out:,} of {len(values):,} left out" if left_out else None
    if not len(known):
        return undefined(reason or "no cases")
    mean = float(known.mean())
    if len(known) == 1 or float(np.ptp(known)) < ALIKE:
        return Number(mean, None, None, len(known), "no spread between images, hence no interval")
    from scipy.special import stdtrit

    reach = float(stdtrit(len(known) - 1, 0.5 + confidence / 2) * known.std(ddof=1) / len(known) ** 0.5)
    return Number(mean, max(mean - reach, bounds[0]), min(mean + reach, bounds[1]), len(known), reason)
