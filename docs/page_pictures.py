"""Make the page's pictures of README and docs: `python docs/page_pictures.py RUN PICTURE` (needs chromium).

Those in the repository come from `compact` on five classes of CIFAR-10 and one of its test images.
"""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path("docs/images")
WIDTH, HEIGHT = 1180, 860
VIEWS = {
    "try": "tab=try&opacity=0.35",
    "inside": "tab=inside&stage=stage1&channel=2&cell=6,7",
    "kernels": "tab=kernels&kernel=sobel_x&spot=12,9",
}


def main() -> None:
    """A picture of each view."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or len(sys.argv) != 3:
        sys.exit("Needs chromium, a run and a picture: python docs/page_pictures.py RUN PICTURE")
    words = [sys.executable, "-m", "striate", "serve", sys.argv[1], "--port", "0", "--json"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout
        address = json.loads(server.stdout.readline())["url"]
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2)
            page.goto(f"{address}/")
            page.set_input_files("input[type=file]", sys.argv[2])
            for name, state in VIEWS.items():
                show(page, state, OUT / f"page-{name}.png")
            opened.close()
    finally:
        server.terminate()
        server.wait()


def show(page: Page, state: str, target: Path) -> None:
    """A view once everything in it has come, with a palette of 256 colours: a page needs no more."""
    page.evaluate("state => { location.hash = state }", state)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(256).save(target, optimize=True)


main()
