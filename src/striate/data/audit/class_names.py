"""Class names that differ only by case, spaces, underscores or the form of their letters."""

import re
import unicodedata
from collections import defaultdict

from striate.data.audit.finding import Finding, Severity, plural
from striate.data.audit.material import Material


def class_names(material: Material) -> list[Finding]:
    """Clashing names; only a note where they are single characters, as A and a of an alphabet are."""
    clashes = clashing(material.classes)
    letters = [names for names in clashes if all(_letters(name) == 1 for name in names)]
    words = [names for names in clashes if names not in letters]
    return [
        *_finding(words, "warning", "class names"),
        *_finding(letters, "note", "single characters"),
    ]


def clashing(classes: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Names that become one when case, spaces, underscores, dashes and Unicode forms are set aside.

    >>> clashing(("Cat", "cat", "dog", "dog_", "owl"))
    [('Cat', 'cat'), ('dog', 'dog_')]
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike[_plain(name)].append(name)
    return [tuple(names) for names in alike.values() if len(names) > 1]


def _plain(name: str) -> str:
    """Unicode's compatibility form, caseless, without separators; a name of separators alone stays itself."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    return re.sub(r"[\s_\-.]+", "", visible) or name


def _letters(name: str) -> int:
    return len(unicodedata.normalize("NFC", name))


def _finding(clashes: list[tuple[str, ...]], severity: Severity, words: str) -> list[Finding]:
    if not clashes:
        return []
    first = " and ".join(repr(name) for name in clashes[0])
    return [
        Finding(
            kind="class-names",
            severity=severity,
            sentence=f"{plural(len(clashes), 'set')} of {words} that differ only in case, spaces or form: "
            f"{first}{', …' if len(clashes) > 1 else ''}.",
            count=len(clashes),
            unit="set",
            advice="If they mean one class, relabel one of them; as they are, the network must tell them apart.",
            numbers={"names": [list(names) for names in clashes]},
        )
    ]
