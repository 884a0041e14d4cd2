"""The learning curve as one offline page: the finding, the figure, the table, and how to get it again."""

from striate.drawing import html
from striate.drawing.figures import swatch
from striate.drawing.learning import Placed, learning_figure
from striate.drawing.numbers import percent, percent_parts
from striate.evaluation.intervals import Number
from striate.evaluation.learning.learning_curve import LearningCurve, times
from striate.evaluation.reporting.report import environment


def render_curve(curve: LearningCurve, command: str, created: str) -> str:
    """The curve as one HTML file: no script, no request, light and dark, prints on A4."""
    body = (
        environment()
        .get_template("learning_curve.html")
        .render(
            curve=curve,
            question=f"What would {times(curve.factor).lower()} give?",
            sentences=curve.sentences(),
            figure=figure(curve),
            facts=facts(curve),
            rows=[[*row] for row in curve.rows()],
            shared=f"{100 * curve.shared:.0f}",
            swatch=swatch,
            recipe=curve.recipe,
            command=command,
            created=created,
        )
    )
    return html.page(f"learning curve of {curve.recipe.get('model', 'a network')}", body)


def figure(curve: LearningCurve) -> str:
    """The figure of the page."""
    points = [placed(one.images, one.accuracy) for one in curve.points]
    band = [Placed(*row) for row in curve.band()]
    return learning_figure(
        "learning", points, band, placed(curve.found.size, curve.predicted), curve.sentence()
    )


def placed(images: int, number: Number) -> Placed:
    """A number at its place in the figure."""
    value, low, high = (
        end if end is not None else number.value for end in (number.value, number.low, number.high)
    )
    return Placed(float(images), value or 0.0, low or 0.0, high or 0.0)


def facts(curve: LearningCurve) -> dict[str, str]:
    """The numbers of the first screen."""
    gain = percent_parts(curve.found.gain)
    exponent = curve.found.exponent
    return {
        f"accuracy from {curve.found.size:,} images": percent(curve.predicted),
        f"the law's, from {curve.largest:,}": percent(curve.present),
        "gain": f"{gain[0]} ({gain[1]}–{gain[2]}) points",
        "law levels off at": percent(curve.ceiling),
        "exponent of the law": f"{exponent.value or 0:.2f} ({exponent.low or 0:.2f}–{exponent.high or 0:.2f})",
    }
