"""How the site is set; `make docs` builds it. The source that Sphinx reads is laid out by docs/site/build.py."""

import hashlib
import os
import re
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

import striate  # noqa: E402

project = "striate"
author = "the authors of striate"
project_copyright = "the authors of striate, Apache-2.0"
release = version = installed("striate")

extensions = ["myst_nb", "sphinx.ext.autodoc"]
root_doc = "index"
exclude_patterns = ["lessons/opening.py", "lessons/drawn.py"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".py": "myst-nb"}
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!striate\.[A-Za-z_]+$).*")]
show_warning_types = True
suppress_warnings = ["myst-nb.lexer"] if os.environ.get("STRIATE_LESSON") == "off" else []


def digest_of_the_package() -> str:
    """Changes whenever the package or the lessons' own modules do: then every page is read, and run, anew."""
    digest = hashlib.sha256()
    for folder, pattern in (("../src", "**/*.py"), ("../lessons", "[!0-9]*.py"), ("site", "*.py")):
        for path in sorted((HERE / folder).glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


# Lessons: percent-format Python, run in their short form while the site is built.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
# What came out is kept under the package's digest, so that a lesson is run again when it or the package has changed.
nb_execution_mode = "off" if os.environ.get("STRIATE_LESSON") == "off" else "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "docs-room" / "executed" / digest_of_the_package()[:16])
nb_execution_timeout = int(os.environ.get("STRIATE_LESSON_LIMIT", "120"))  # seconds a cell
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the solution", "Hide the solution"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_all_links_external = False
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True  # `lambda: False` as it is written, not an object at an address
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "striate"
html_static_path = [str(HERE / "_static")]
html_css_files = ["striate.css"]
html_js_files = ["reach.js"]
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses to files
html_show_sourcelink = False
html_last_updated_fmt = None
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
TYPE = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif'
MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace'
html_theme_options: dict[str, Any] = {
    "light_css_variables": {
        "font-stack": TYPE,
        "font-stack--monospace": MONO,
        "color-brand-primary": "#0b5cad",
        "color-brand-content": "#0b5cad",
        "color-brand-visited": "#0b5cad",
        "color-foreground-primary": "#1b1f24",
        "color-foreground-secondary": "#57606a",
        "color-foreground-muted": "#57606a",
        "color-foreground-border": "#6e7781",
        "color-background-primary": "#ffffff",
        "color-background-secondary": "#f5f7f9",
        "color-background-border": "#d0d7de",
        "color-api-name": "#1b1f24",
        "color-api-pre-name": "#57606a",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb2ff",
        "color-brand-content": "#6cb2ff",
        "color-brand-visited": "#6cb2ff",
        "color-foreground-primary": "#e6e9ec",
        "color-foreground-secondary": "#a3abb4",
        "color-foreground-muted": "#a3abb4",
        "color-foreground-border": "#8b949e",
        "color-background-primary": "#16181b",
        "color-background-secondary": "#1f2328",
        "color-background-border": "#3a4149",
        "color-api-name": "#e6e9ec",
        "color-api-pre-name": "#a3abb4",
    },
}


def written_in_plain_text(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Docstrings are plain text; hand them on as reStructuredText."""
    from plain import to_rst

    lines[:] = to_rst("\n".join(lines))


def public_name(app: Sphinx, env: Any, node: pending_xref, text: nodes.Element) -> nodes.Node | None:
    """A type in a signature leads to its public name, wherever it lives."""
    target = str(node.get("reftarget", ""))
    name = target.rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in striate.__all__ or target == f"striate.{name}":
        return None
    if "." in target and not target.startswith("striate."):
        return None
    found = env.get_domain("py").resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"striate.{name}", node, text
    )
    return found if isinstance(found, nodes.Node) else None


REPAIRS = (
    ('<p class="caption" role="heading">', '<p class="caption">'),  # a heading without a level
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="Pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
)
"""What the theme writes, and what screen readers need in its place."""
SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
LINES = {
    "<dl>": '<span class="sig-lines">',
    "<dd>": '<span class="sig-line">',
    "</dl>": "</span>",
    "</dd>": "</span>",
}


def plain_lines(signature: re.Match[str]) -> str:
    """A signature of several lines, as lines and not as a list of definitions without terms."""
    return re.sub("|".join(LINES), lambda tag: LINES[tag[0]], signature[0])


def repaired(app: Sphinx, failure: Exception | None) -> None:
    """Mend the pages for those who do not see them."""
    if failure is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf8")
        better = SIGNATURE.sub(plain_lines, text)
        for theirs, ours in REPAIRS:
            better = better.replace(theirs, ours)
        if path.name == "search.html" and "<h1>" not in better:
            better = better.replace('<div id="search-results">', '<h1>Search</h1>\n<div id="search-results">')
        if better != text:
            path.write_text(better, encoding="utf8")


def setup(app: Sphinx) -> None:
    """Hand Sphinx the functions above."""
    app.connect("autodoc-process-docstring", written_in_plain_text)
    app.connect("missing-reference", public_name)
    app.connect("build-finished", repaired)
    app.add_config_value("striate_digest", digest_of_the_package(), "env")
