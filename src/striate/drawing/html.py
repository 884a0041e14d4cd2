"""The shell of every page that striate writes: one file, no script, nothing fetched."""

import html
from importlib.resources import files

from striate.drawing.scales import custom_properties
from striate.drawing.text import visible

# The browser itself refuses scripts and requests, whatever a file name may contain.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, body: str) -> str:
    """A complete HTML file around `body`, which is markup already escaped; the title is plain text.

    >>> print(page("Owls <3", "<p>Hoo.</p>").partition("<style>")[0][:39])
    <!doctype html>
    <html lang="en">
    <head>
    """
    style = custom_properties() + files("striate.drawing").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(visible(title))}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
