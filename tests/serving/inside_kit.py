"""The Inside view as a test opens it, and what torch says of the same picture."""

import io
from typing import Any

import numpy as np
import torch
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

import striate

CHECKS = {"runOnly": ["wcag2a", "wcag2aa"]}


class Opened:
    """The view in a window of its own, and everything that it asked for."""

    def __init__(self, browser: Any, address: str, state: str = "", **window: Any) -> None:
        self.address = address
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 1000}, **window})
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.goto(f"{address}/#tab=inside{state}")
        self.page.locator(".inside-network").wait_for()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert not self.errors
        assert not [url for url in self.asked if not url.startswith((self.address, "data:", "blob:"))]

    def choose(self, pixels: np.ndarray) -> None:
        """Choose a file, and wait for the network's answer."""
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        file = {"name": "a <b>photo.png", "mimeType": "image/png", "buffer": content.getvalue()}
        self.page.get_by_label("Choose a picture to look at").set_input_files(file)
        self.page.locator(".inside-chance").first.wait_for()

    def open(self, stage: str) -> None:
        """Open a stage and wait for its maps."""
        self.page.locator(f'[data-stage="{stage}"]').click()
        self.page.locator(".inside-tile").first.wait_for()

    def hover(self, row: int, column: int, rows: int, columns: int) -> None:
        """Point at the middle of a cell of the map, and wait until it is worked."""
        box = self.page.get_by_role("application").bounding_box()
        x, y = (
            box["x"] + box["width"] * (column + 0.5) / columns,
            box["y"] + box["height"] * (row + 0.5) / rows,
        )
        self.page.mouse.move(x, y)
        self.worked(row, column)

    def worked(self, row: int, column: int) -> None:
        """Wait until the board shows this cell."""
        self.page.locator(".inside-board h3", has_text=f"row {row}, column {column},").wait_for()

    def table(self, channel: int, name: str) -> np.ndarray:
        """The numbers of a matrix of one input channel."""
        part = self.page.locator(f'.inside-part[data-channel="{channel}"]')
        rows = part.locator("table.numbers", has=self.page.get_by_text(name, exact=True)).locator("tr")
        return np.array(
            [[number(text) for text in row.locator("td").all_inner_texts()] for row in rows.all()]
        )

    def values(self) -> dict[str, float]:
        """What the network put out at each step, by the step's layer."""
        steps = self.page.locator(".inside-step").all()
        return {
            step.get_attribute("data-layer"): float(step.locator("[data-value]").get_attribute("data-value"))
            for step in steps
        }

    def serious(self) -> list[str]:
        """What axe finds against WCAG 2 A and AA."""
        found = Axe().run(self.page, options=CHECKS).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]

    def fits(self) -> bool:
        """Whether nothing is to be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.strip("()").replace("−", "-"))


def inside(classifier: striate.Classifier, pixels: np.ndarray) -> dict[str, torch.Tensor]:
    """What every layer puts out for a picture, normalised here, by torch's own hooks."""
    preparation = classifier.preparation_
    prepared = preparation.pixels(pixels.reshape(*pixels.shape[:2], -1)).astype(np.float64) / 255
    normal = (prepared - np.array(preparation.mean)) / np.array(preparation.std)
    inputs = torch.from_numpy(normal.transpose(2, 0, 1)[None].astype(np.float32))
    made = {"picture": inputs}
    network = classifier.network_.eval()
    hooks = [
        layer.register_forward_hook(
            lambda _m, _i, out, path=path: made.__setitem__(path.removeprefix("stages."), out.clone())
        )
        for path, layer in network.named_modules()
    ]
    with torch.no_grad():
        network(inputs.clone())
    for hook in hooks:
        hook.remove()
    return made
