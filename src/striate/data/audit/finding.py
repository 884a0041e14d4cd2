"""What an audit says: a finding, and the images it is about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, overload

import numpy as np
from jaxtyping import Int

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""From what must be settled before training to what is good to know."""


@dataclass(frozen=True, slots=True)
class Case:
    """One image of a finding, by name and label; `other` is the partner image or the suggested label.

    `image` and `partner` are indices into the audited table, -1 where there is none, as for unreadable files.
    """

    source: str
    label: str
    detail: str
    other: str = ""
    image: int = -1
    partner: int = -1


class Cases(Sequence[Case]):
    """Images of a finding that are put into words only when somebody reads them: there may be a million."""

    def __init__(self, images: Int[np.ndarray, " case"], word: Callable[[int], Case]) -> None:
        self._images, self._word = images, word

    def __len__(self) -> int:
        return len(self._images)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> "Cases": ...
    def __getitem__(self, index: int | slice) -> "Case | Cases":
        if isinstance(index, slice):
            return Cases(self._images[index], self._word)
        return self._word(int(self._images[index]))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that an audit found: how bad, what, how many of what, and what to do about it.

    >>> finding = Finding(kind="constant", severity="warning", sentence="2 images are of one value.", count=2)
    >>> finding.many, finding.cases
    ('2 images', ())

    `kind` is a fixed word for programs; `numbers` hold the finding's figures, ready for JSON; `cases` list every
    image concerned, where images are concerned.
    """

    kind: str
    severity: Severity
    sentence: str
    count: int
    unit: str = "image"
    advice: str = ""
    cases: Sequence[Case] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def many(self) -> str:
        """The count with its unit."""
        return plural(self.count, self.unit)

    @property
    def example(self) -> str:
        """The first image concerned, with its partner where it has one; '' without images."""
        if not self.cases:
            return ""
        first = self.cases[0]
        return f"{first.source} · {first.other}" if first.other else first.source

    def to_dict(self) -> dict[str, Any]:
        """The finding with all its cases, ready for JSON."""
        return {
            "finding": self.kind,
            "severity": self.severity,
            "sentence": self.sentence,
            "count": self.count,
            "unit": self.unit,
            "advice": self.advice,
            "numbers": dict(self.numbers),
            "images": [
                {"source": case.source, "label": case.label, "other": case.other, "detail": case.detail}
                for case in self.cases
            ],
        }


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "image"), plural(2000, "class"), plural(2, "image is", "images are")
    ('1 image', '2,000 classes', '2 images are')
    """
    return f"{count:,} {one if count == 1 else many or one + ('es' if one.endswith('s') else 's')}"
