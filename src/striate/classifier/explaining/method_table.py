"""Every method under every check, on pictures of one's own, as a table for the terminal, a page and numbers."""

import html as markup
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from striate.classifier.explaining.class_plane import at_most
from striate.classifier.explaining.figures import Figure, Folder, given, in_batches
from striate.drawing import html
from striate.errors import UsageError
from striate.explanation.checks import RemovalPlan, check_explanations
from striate.files import write_atomically, write_json

if TYPE_CHECKING:
    from striate.classifier.classifier import Classifier

IMAGES = 24
"""Images; all methods take a second or two for each on a small network."""


def write_method_table(
    classifier: "Classifier",
    data: str | os.PathLike,
    folder: Folder,
    *,
    images: int = IMAGES,
    stage: str | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Figure:
    """Deletion, insertion and weight randomisation of every method on some images: methods.json and methods.html.

    The images are taken evenly from the source, and each is explained for the class it is given. A method that cannot
    be right for the network stands there with the reason; a random map and the pictures' edges stand beside the
    methods. `progress` is told the title of what is checked next. Raises UsageError for fewer than two images.
    """
    if images < 2:
        raise UsageError(f"images={images}: at least two are needed; {IMAGES} are common.")
    predictor = classifier.predictor_
    table_of, pack = given(classifier, data)
    chosen = at_most(table_of, images)
    if len(chosen) < 2:
        raise UsageError(f"{chosen.source.location} has {len(chosen)} image; at least two are needed.")
    inputs = torch.cat([some for _, some in in_batches(predictor, chosen, pack)])
    with torch.inference_mode():
        targets = predictor.network(inputs).argmax(dim=1)
    found = check_explanations(
        predictor.network,
        inputs.clone(),
        targets.clone(),
        stage=stage,
        plan=RemovalPlan(seed=seed),
        progress=progress,
    )
    right = (
        int((targets.numpy() == chosen.labels).sum()) if chosen.classes == classifier.class_names_ else None
    )
    content = {**found.to_dict(), "seed": seed, "right": right}
    files = Path(folder, "methods.json"), Path(folder, "methods.html")
    write_json(files[0], content)
    title = f"Methods of explanation on {Path(chosen.source.location).name}"
    page = html.page(
        title, f"<header><h1>{markup.escape(title)}</h1></header><section>{found.to_html()}</section>"
    )
    write_atomically(files[1], page.encode("utf8"))
    return Figure(files, (found.to_text(),), content)
