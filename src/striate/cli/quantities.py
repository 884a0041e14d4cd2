"""Quantities as people write them on a command line."""

import re

UNITS = {
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
"""Bytes of each unit; the letter B may be left out."""


def gibibytes(text: str) -> float:
    """An amount of memory in GiB.

    >>> gibibytes("2GiB"), gibibytes("512M"), round(gibibytes("1.5 gb"), 4)
    (2.0, 0.476837158203125, 1.397)

    Raises UsageError for what is no amount, is zero or has no unit.
    """
    import striate

    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)B?\s*", text, re.IGNORECASE)
    size = float(found[1]) * UNITS[f"{found[2].upper()}B"] if found else 0.0
    if not size:
        raise striate.UsageError(
            f"--max-memory {text}: expected a number above 0 and a unit, such as 512MB, 2GB or 1.5GiB."
        )
    return size / 2**30
