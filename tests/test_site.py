"""The built site: every link leads somewhere, nothing is asked of another host, every page can be used by anyone.

It reads build/docs, which `make docs` makes; without it these tests are skipped. Those that need a browser are slow.
"""

import html.parser
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "docs"
PAGES = sorted(
    path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts
)
SOME = (
    "index.html",
    "first-hour.html",
    "guide.html",
    "reference/classifier.html",
    "reference/recipe.html",
    "house.html",
)
WIDE, NARROW = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
CHECKS = {"runOnly": ["wcag2a", "wcag2aa", "best-practice"]}

pytestmark = pytest.mark.skipif(not PAGES, reason="there is no build/docs: run `make docs`")


class Read(html.parser.HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed((SITE / page).read_text(encoding="utf8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect them."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


@cache
def read(page: str) -> Read:
    """A page, read once."""
    return Read(page)


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_site_lead_somewhere(page: str) -> None:
    dead = [link for link in read(page).links if not leads_somewhere(page, link)]
    assert not dead


def leads_somewhere(page: str, link: str) -> bool:
    """Whether a file is there, and the anchor in it; other hosts are not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("https", "http", "data", "mailto")
    target = (SITE / page).parent / unquote(parts.path) if parts.path else SITE / page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return False
    place = target.resolve().relative_to(SITE.resolve()).as_posix()
    return not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in read(place).anchors


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_loads_is_its_own(page: str) -> None:
    """Scripts, styles, fonts and pictures; a link that a reader may follow is another thing."""
    text = (SITE / page).read_text(encoding="utf8")
    assert not re.findall(
        r'<(?:script|img|iframe|source)[^>]+src="https?:|<link[^>]+stylesheet[^>]+href="https?:', text
    )


def test_every_lesson_was_run_and_shows_its_figures() -> None:
    lessons = [page for page in PAGES if page.startswith("lessons/") and "README" not in page]
    assert lessons
    for page in lessons:
        text = (SITE / page).read_text(encoding="utf8")
        assert "cell_output" in text, f"{page} has no output: was it built with --draft?"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for this file; skipped where there is none."""
    import shutil

    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def window(browser: Any) -> Iterator[Any]:
    """A window that may open files of the site alone; leaving it, nothing else was asked for and no script failed."""
    context = browser.new_context(viewport=WIDE)
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not [url for url in asked if not url.startswith((SITE.as_uri(), "data:", "blob:"))]
    assert not errors


@pytest.mark.slow
def test_no_page_asks_another_host_or_scrolls_sideways(window: Any) -> None:
    for page in PAGES:
        window.goto((SITE / page).as_uri())
        for size in (WIDE, NARROW):
            window.set_viewport_size(size)
            wide = window.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{page} is {wide} pixels wide in a window of {size['width']}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [*SOME, *[page for page in PAGES if page.startswith("lessons/")][:2], "search.html"]
)
def test_pages_are_held_against_wcag(window: Any, page: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for scheme, size in (("light", WIDE), ("dark", WIDE), ("light", NARROW)):
        window.emulate_media(color_scheme=scheme)
        window.set_viewport_size(size)
        window.goto((SITE / page).as_uri())
        window.wait_for_load_state("load")
        found = Axe().run(window, options=CHECKS).response["violations"]
        assert not [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


@pytest.mark.slow
def test_search_works_from_files(window: Any) -> None:
    window.goto(f"{(SITE / 'search.html').as_uri()}?q=calibration")
    window.wait_for_selector("ul.search li a", timeout=20_000)
    assert any(
        "verdict" in link.get_attribute("href") for link in window.query_selector_all("ul.search li a")
    )


@pytest.mark.slow
def test_solutions_open_by_keyboard(window: Any) -> None:
    folded = [
        page
        for page in PAGES
        if page.startswith("lessons/") and "<details" in (SITE / page).read_text("utf8")
    ]
    assert folded, "no lesson has a folded solution"
    window.goto((SITE / folded[0]).as_uri())
    summary = window.locator("article details > summary").first
    summary.focus()
    window.keyboard.press("Enter")
    assert window.locator("article details").first.evaluate("one => one.open")
