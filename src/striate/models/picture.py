"""What a drawing of a network shows of each stage, gathered from the rows of its summary."""

from collections import Counter
from collections.abc import Iterator, Sequence

from striate.drawing.network import Column
from striate.models.walk import Row

NAMED = (
    *("convolution", "convolution by table", "fully connected", "radial basis"),
    *("sum", "concatenation"),
)
"""The kinds of rows that are written under a stage; a stage without any shows its first."""


def stage_columns(rows: Sequence[Row], auxiliary_stages: Sequence[str]) -> list[Column]:
    """One column a stage and one for the head, in the order in which an image meets them."""
    stages = {row.stage: [other for other in rows if other.stage == row.stage] for row in rows}
    return [
        Column(
            name=stage,
            shape=inside[-1].output_shape,
            lines=tuple(_lines(inside)),
            kind="head" if stage == "head" else "map",
            aside=stage in auxiliary_stages,
        )
        for stage, inside in stages.items()
    ]


def _lines(rows: list[Row]) -> Iterator[str]:
    counts = Counter(row.kind for row in rows if row.kind in NAMED)
    for kind, count in counts.items():
        yield kind if count == 1 else f"{count} × {kind}"
    if not counts:
        yield rows[0].kind
    parameters = sum(row.parameters for row in rows)
    yield f"{parameters:,} parameters" if parameters else "no parameters"
    if rows[-1].stage != "head" and (field := rows[-1].receptive_field):
        yield "sees " + " × ".join(map(str, field))
