"""Make the pictures of README and docs from a run of `make demo`: `make pictures` (needs chromium).

Everything in them comes from data anyone has; widths are doubled for screens of twice the density.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

RUN = Path("runs/demo")
OUT = Path("docs/images")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=2"
)


def main() -> None:
    """The kernels on a photograph, the contact sheet of predictions, the report and a tab of TensorBoard."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or not (RUN / "report.html").is_file():
        sys.exit("Needs chromium, and a run in runs/demo: run `make demo` first.")
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "docs/kernel_sheet.py"], check=True)
    shutil.copy(RUN / "predictions.png", OUT / "predictions.png")
    shoot(browser, (RUN / "report.html").resolve().as_uri(), OUT / "report.png", 1100, 900)
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tensorboard.main",
            "--logdir",
            str(RUN),
            "--port",
            "6106",
            "--load_fast",
            "false",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(12)
        for tab in ("histograms",):
            shoot(
                browser,
                f"http://127.0.0.1:6106/#{tab}",
                OUT / f"tensorboard-{tab}.png",
                1400,
                900,
                wait=25_000,
            )
    finally:
        server.terminate()
        server.wait()


def shoot(browser: str, address: str, target: Path, width: int, height: int, wait: int = 0) -> None:
    """A screenshot with a palette of 256 colours: a page needs no more."""
    with tempfile.TemporaryDirectory() as profile:
        words = [*OPTIONS.split(), f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        patience = [f"--virtual-time-budget={wait}"] if wait else []
        subprocess.run(
            [browser, *words, *patience, f"--screenshot={target}", address],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    Image.open(target).convert("RGB").quantize(256).save(target, optimize=True)


main()
