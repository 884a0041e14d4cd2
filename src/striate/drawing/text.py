"""Names are data: what of a file or class name must be made visible before it is shown."""

import unicodedata


def visible(name: object) -> str:
    r"""A name with control, direction and unpaired surrogate characters written as escapes.

    >>> visible("owl\n\u202egpj.exe")
    'owl\\n\\u202egpj.exe'
    """
    return "".join(_escape(letter) if _hidden(letter) else letter for letter in str(name))


def shorten(name: str, length: int) -> str:
    """At most `length` characters: the middle gives way, because names differ at both ends.

    >>> shorten("Concrete with hairline crack, 0.3 mm", 16)
    'Concrete… 0.3 mm'
    """
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[len(name) - tail :] if tail else ''}"


def unbroken(text: str) -> str:
    """A text whose numbers keep their unit, and whose n its value, on one line.

    >>> unbroken("94.1 % (92.1–95.6, n = 712)").count("\u00a0")
    3
    """
    return text.replace(" %", "\u00a0%").replace("n = ", "n\u00a0=\u00a0")


def _hidden(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
