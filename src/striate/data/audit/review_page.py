"""The list of images to look at again as one offline page, their pictures beside the classes in question."""

from typing import TYPE_CHECKING

from striate.data.audit.page import Album, environment, section_of
from striate.drawing import html

if TYPE_CHECKING:
    from striate.data.audit.review import Review

MOST_TILES = 48
HEADINGS = {
    "label-suspects": "Labels that are probably wrong",
    "worst-errors": "The worst errors",
    "most-uncertain": "Between two classes",
}


def review_page(review: "Review") -> str:
    """The list as one HTML file: no script, no request; at most 48 pictures a part, and it says of how many.

    Names of files and classes are data: they are escaped, with control characters made visible.
    """
    album = Album(review.material)
    sections = [
        section_of(finding, album, number, MOST_TILES) for number, finding in enumerate(review.findings)
    ]
    body = (
        environment()
        .get_template("review.html")
        .render(review=review, images=len(review.material), sections=sections, headings=HEADINGS)
    )
    return html.page(f"Review list of {review.title}", body)
