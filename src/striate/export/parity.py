"""Whether an exported file says what the run says: picture by picture, on pictures of the user's own."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64

from striate.drawing.text import visible

TOLERANCE = 1e-4
"""What a probability may differ by."""
TOGETHER = 16
"""Pictures of one size that are asked about at once."""
VALUES = 2**23
"""Values that one batch may hold, one picture excepted."""
SHOWN = 10


class Answers(NamedTuple):
    """What a file says of a batch of pictures."""

    probabilities: Float[np.ndarray, "batch classes"]
    prepared: Float32[np.ndarray, "batch channel height width"]


Asking = Callable[[Float32[np.ndarray, "batch height width channel"], float], Answers]
"""A function that asks a file: decoded pictures of one size, and their full scale."""


@dataclass(frozen=True, eq=False)
class Example:
    """A decoded picture as a file takes it, and what the run makes of it; `depth` is its pixels' own."""

    name: str
    pixels: Float32[np.ndarray, "height width channel"]
    full_scale: float
    depth: str
    prepared: Float32[np.ndarray, "prepared_channel prepared_height prepared_width"]
    probabilities: Float64[np.ndarray, " classes"]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How far a file's answers lie from the run's.

    `probability` is the largest difference of any probability; `agreed` how many pictures have the same class as the
    most probable; `prepared` the largest difference of a prepared value, relative to the largest of its picture.
    `sizes`, `modes` and `batches` count what was tried; `apart` names pictures beyond `TOLERANCE`, the worst first.
    """

    images: int
    probability: float
    agreed: int
    prepared: float
    sizes: dict[str, int]
    modes: dict[str, int]
    batches: dict[str, int]
    apart: tuple[tuple[str, float], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether there were pictures, and every probability of theirs is within the tolerance."""
        return self.images > 0 and not self.apart

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values; a difference that is not finite is None."""
        return {
            "passed": self.passed,
            "tolerance": TOLERANCE,
            "images": self.images,
            "largest_probability_difference": _finite(self.probability),
            "same_class": self.agreed,
            "largest_relative_difference_of_prepared_pictures": _finite(self.prepared),
            "sizes": self.sizes,
            "modes": self.modes,
            "batches": self.batches,
            "apart": [{"image": name, "difference": _finite(found)} for name, found in self.apart],
        }

    def to_text(self) -> str:
        """A table for a terminal."""
        rows = {
            "largest difference of a probability": f"{self.probability:.1e}   (at most {TOLERANCE:.0e})",
            "same class": f"{self.agreed:,} of {self.images:,}",
            "prepared pictures, relative": f"{self.prepared:.1e}",
            "sizes": _counted(self.sizes),
            "pixels": _counted(self.modes),
            "in batches of": _counted(self.batches),
        }
        width = max(map(len, rows))
        lines = [f"  {name:<{width}}   {value}" for name, value in rows.items()]
        return "\n".join([f"parity on {self.images:,} pictures:", *lines])

    def sentence(self) -> str:
        """Which pictures are beyond the tolerance, and by how much."""
        shown = ", ".join(f"{visible(name)} ({found:.1e})" for name, found in self.apart[:SHOWN])
        more = f" and {len(self.apart) - SHOWN:,} more" if len(self.apart) > SHOWN else ""
        return f"{len(self.apart):,} of {self.images:,} pictures differ by more than {TOLERANCE:.0e}: {shown}{more}"


@dataclass
class _Tally:
    """What is known of the pictures so far."""

    probability: float = 0.0
    prepared: float = 0.0
    agreed: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in ("sizes", "modes", "batches")}
    )
    differences: dict[int, tuple[str, float]] = field(default_factory=dict)
    said: dict[int, Float[np.ndarray, " classes"]] = field(default_factory=dict)

    def add(self, examples: list[tuple[int, Example]], answers: Answers) -> None:
        self.counts["batches"][str(len(examples))] += 1
        for (place, one), said, prepared in zip(examples, *answers, strict=True):
            height, width, channels = one.pixels.shape
            self.counts["sizes"][f"{height}×{width}"] += 1
            self.counts["modes"][f"{one.depth}, {channels} channel{'s' * (channels > 1)}"] += 1
            apart = float(np.abs(said - one.probabilities).max())
            self.differences[place] = one.name, apart
            self.probability = worst(self.probability, apart)
            self.prepared = worst(self.prepared, relative(prepared, one.prepared))
            self.agreed += int(said.argmax() == one.probabilities.argmax())
            self.said[place] = said


def compare(ask: Asking, examples: Iterable[Example]) -> tuple[Parity, Float[np.ndarray, "images classes"]]:
    """The parity of a file on pictures, and its probabilities in their order.

    The first picture is asked about alone, the others in batches of up to 16 of one size.
    """
    tally = _Tally()
    for batch in batched(examples):
        pixels = np.stack([one.pixels for _, one in batch])
        tally.add(batch, ask(pixels, batch[0][1].full_scale))
    apart = [pair for pair in tally.differences.values() if not pair[1] <= TOLERANCE]
    counts = {name: dict(counter.most_common()) for name, counter in tally.counts.items()}
    parity = Parity(
        images=len(tally.said),
        probability=tally.probability,
        agreed=tally.agreed,
        prepared=tally.prepared,
        apart=tuple(sorted(apart, key=lambda pair: -np.nan_to_num(pair[1], nan=np.inf))),
        **counts,
    )
    rows = [tally.said[place] for place in sorted(tally.said)]
    return parity, np.stack(rows) if rows else np.zeros((0, 0))


def batched(examples: Iterable[Example]) -> Iterator[list[tuple[int, Example]]]:
    """Numbered pictures in batches of one size and one full scale."""
    waiting: dict[tuple[Any, ...], list[tuple[int, Example]]] = {}
    for place, one in enumerate(examples):
        key = (*one.pixels.shape, one.full_scale)
        batch = waiting.setdefault(key, [])
        batch.append((place, one))
        most = 1 if place == 0 else min(TOGETHER, max(1, VALUES // one.pixels.size))
        if len(batch) >= most:
            yield waiting.pop(key)
    yield from waiting.values()


def relative(found: Float32[np.ndarray, "*shape"], wanted: Float32[np.ndarray, "*shape"]) -> float:
    """The largest difference of two pictures, relative to the largest value of the one that is wanted.

    >>> round(relative(np.array([1.0, 2.2], np.float32), np.array([1.0, 2.0], np.float32)), 3)
    0.1
    """
    largest = max(float(np.abs(wanted).max()), float(np.finfo(np.float32).tiny))
    return float(np.abs(found.astype(np.float64) - wanted).max()) / largest


def worst(one: float, other: float) -> float:
    """The larger of two differences; one that is not a number is the largest.

    >>> worst(0.1, float("nan")), worst(0.1, 0.2)
    (nan, 0.2)
    """
    return float(np.maximum(one, other))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _counted(counts: dict[str, int]) -> str:
    shown = [f"{name} ({count:,})" for name, count in list(counts.items())[:6]]
    return ", ".join(shown) + (f" and {len(counts) - 6:,} more" if len(counts) > 6 else "")
