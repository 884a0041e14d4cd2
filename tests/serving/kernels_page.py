"""The Kernels view in a browser, as its tests read it."""

from typing import Any

import numpy as np
from opened import Opened

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


class Kernels(Opened):
    """The view in a window of its own."""

    def __init__(self, place: tuple[str, Any], state: str = "", **window: Any) -> None:
        super().__init__(place, f"#tab=kernels{state}", **window)
        self.page.locator("figure.pane figcaption span").first.wait_for()

    def caption(self, pane: int) -> str:
        """What stands under the picture (0) or the result (1)."""
        return self.page.locator("figure.pane figcaption").nth(pane).inner_text()

    def table(self, caption: str) -> np.ndarray:
        """The numbers of a table of the board."""
        rows = self.page.locator(
            ".board table.numbers", has=self.page.get_by_text(caption, exact=True)
        ).locator("tr")
        texts = [
            [cell.strip("()").replace("−", "-") for cell in row.locator("td").all_inner_texts()]
            for row in rows.all()
        ]
        return np.array(texts, float)

    def pixels(self, pane: int) -> np.ndarray:
        """Red, green and blue of the canvas as it is seen."""
        values = self.page.locator("figure.pane").nth(pane).locator("canvas.pixels").evaluate(
            "c => [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        )  # fmt: skip
        return np.array(values[2:], np.uint8).reshape(values[0], values[1], 4)[:, :, :3]

    def hover(self, pane: int, row: int, column: int) -> None:
        """Point at the middle of a pixel."""
        canvas = self.page.locator("figure.pane").nth(pane).locator("canvas.pixels")
        height, width = canvas.evaluate("c => [c.height, c.width]")
        box = canvas.bounding_box()
        self.page.mouse.move(
            box["x"] + box["width"] * (column + 0.5) / width, box["y"] + box["height"] * (row + 0.5) / height
        )

    def worked(self, row: int, column: int) -> None:
        """Wait until a cell is worked."""
        self.page.locator(".board h2", has_text=f"row {row}, column {column}:").wait_for()
