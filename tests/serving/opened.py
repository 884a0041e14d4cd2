"""The page in a window of its own: everything it asks for is watched, and it is held against WCAG."""

import time
from typing import Any

from axe_playwright_python.sync_playwright import Axe

CHECKS = {"runOnly": ["wcag2a", "wcag2aa", "best-practice"]}
PATIENCE = 30.0


class Opened:
    """A window at an address of the page; leaving it, there was no error and no request left this machine."""

    def __init__(self, place: tuple[str, Any], hash_: str, **window: Any) -> None:
        self.address, browser = place
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 1000}, **window})
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{self.address}/{hash_}")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.context.close()
        if kind is None:
            assert not self.errors
            here = [url for url in self.asked if url.startswith((self.address, "blob:", "data:"))]
            assert here == self.asked, "a request left this machine"

    def until(self, expression: str) -> None:
        """Wait until an expression holds in the page; its own eval is closed by the policy, the debugger's is not."""
        end = time.monotonic() + PATIENCE
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"{expression} did not come true"
            self.page.wait_for_timeout(20)

    def usable(self) -> None:
        """Nothing against WCAG 2 A and AA on a desktop, in the dark and on a phone; nothing scrolls sideways."""
        wide, narrow = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
        for scheme, size in (("light", wide), ("dark", wide), ("light", narrow)):
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size(size)
            found = self.found()
            assert not found, found
        for width in (390, 360):
            self.page.set_viewport_size({"width": width, "height": 844})
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width

    def found(self) -> list[str]:
        """What axe finds."""
        violations = Axe().run(self.page, options=CHECKS).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]
