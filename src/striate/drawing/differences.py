"""How a difference and a chance are written."""

from striate.drawing.numbers import Estimate, decimal_parts, percent_parts


def points(number: Estimate) -> tuple[str, str, str]:
    """A difference of proportions and its limits in percentage points, with a true minus sign.

    >>> from types import SimpleNamespace
    >>> points(SimpleNamespace(value=0.0318, low=-0.0021, high=0.0541, n=526))
    ('3.2', '−0.2', '5.4')
    """
    return _minus(percent_parts(number))


def plain(number: Estimate) -> tuple[str, str, str]:
    """A difference of plain numbers, such as of log losses or of areas, and its limits."""
    return _minus(decimal_parts(number))


def chance(p: float | None) -> str:
    """A p with its sign of relation; three decimals, or as many as keep it on its side of 0.05.

    >>> chance(0.0042), chance(0.00003), chance(0.04996), chance(None)
    ('= 0.004', '< 0.001', '= 0.04996', '–')
    """
    if p is None:
        return "–"
    if p < 0.001:
        return "< 0.001"
    texts = [f"{p:.{digits}f}" for digits in range(3, 9)]
    kept = (text for text in texts if (float(text) < 0.05) == (p < 0.05))
    return f"= {next(kept, texts[-1])}"


def _minus(texts: tuple[str, str, str]) -> tuple[str, str, str]:
    value, low, high = (text.replace("-", "−") for text in texts)
    return value, low, high
