"""Build the site into build/docs: run what the pages show, lay out their source, set it.

`python docs/site/build.py` is what `make docs` does; with `--draft` neither snippets nor lessons are run, and the site
is in build/docs-draft: to look at a page while writing it.
"""

import argparse
import os
import subprocess
import sys
import time

from house import draw
from reference import write_reference
from sphinx.cmd.build import main as sphinx
from staging import ROOT, stage, write

BUILD = ROOT / "build"
SOURCE, ROOM = BUILD / "docs-source", BUILD / "docs-room"


def main() -> int:
    """The whole site; the exit code is that of the first step that fails."""
    parser = argparse.ArgumentParser(description="Build the site into build/docs.")
    parser.add_argument("--draft", action="store_true", help="run neither snippets nor lessons")
    draft, begun = parser.parse_args().draft, time.monotonic()
    site, trees = (BUILD / "docs-draft", ROOM / "draft") if draft else (BUILD / "docs", ROOM / "doctrees")
    os.chdir(ROOT)
    os.environ |= surroundings(draft)
    ROOM.mkdir(parents=True, exist_ok=True)
    snippets = None if draft else begin_snippets()
    stage(SOURCE)
    write_reference(SOURCE / "reference")
    page = SOURCE / "house.md"
    write(page, page.read_text(encoding="utf8").replace("<!-- the house -->", draw()))
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", str(trees)]
    code = sphinx(["-b", "html", "-c", "docs", *options, str(SOURCE), str(site)])
    if snippets is not None:
        code = code or snippets.wait()
        print((ROOM / "snippets.txt").read_text(encoding="utf8"), end="")
        code = code or snippets.returncode
    if code == 0:
        print(f"The site is at {site / 'index.html'} ({time.monotonic() - begun:.0f} s).")
    return code


def surroundings(draft: bool) -> dict[str, str]:
    """What lessons and snippets find: the short form, one thread, a cache and a home of the build's own, no window."""
    return {
        "STRIATE_LESSON": "off" if draft else "short",
        "STRIATE_LESSON_OUT": str(ROOM / "lessons"),
        "STRIATE_CACHE": str(ROOM / "cache"),
        "STRIATE_HOME": str(ROOM / "home"),
        "STRIATE_DATA": "",
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(ROOM / "ipython"),
    }


def begin_snippets() -> subprocess.Popen[bytes]:
    """Run what the pages show in a process of its own, beside Sphinx; what it says is kept for the end."""
    words = [sys.executable, str(ROOT / "docs" / "site" / "snippets.py"), str(ROOM / "sandbox")]
    with (ROOM / "snippets.txt").open("wb") as said:
        return subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main())
