"""The audit as a table for a terminal: how bad, what, how many, and an example."""

import textwrap
from typing import TYPE_CHECKING

from striate.data.audit.finding import SEVERITIES, Finding, plural
from striate.drawing.text import shorten, unbroken, visible

if TYPE_CHECKING:
    from striate.data.audit.audit import Audit

KIND, EXAMPLE, WIDTH = 34, 44, 112


def audit_text(audit: "Audit") -> str:
    """A headline, a line a finding, and then what each means and what to do about it."""
    counts = ", ".join(plural(audit.count(severity), severity) for severity in SEVERITIES)
    extent = "quick audit" if audit.quick else "audit"
    head = f"{visible(audit.title)}: {extent} of {plural(audit.images, 'image')}: {counts}"
    if not audit.findings:
        return f"{head}.\nNothing was found."
    rows = [_row(finding) for finding in audit.findings]
    width = max(len(row[2]) for row in rows)
    heading = f"{'severity':<10}{'finding':<{KIND}}{'how many':>{width}}   example"
    table = [
        f"{severity:<10}{kind:<{KIND}}{many:>{width}}   {example}".rstrip()
        for severity, kind, many, example in rows
    ]
    return "\n".join([f"{head}.", "", heading, *table, "", *_sentences(audit.findings)])


def _row(finding: Finding) -> tuple[str, str, str, str]:
    example = shorten(visible(finding.example), EXAMPLE)
    return finding.severity, finding.kind, finding.many, example


def _sentences(findings: tuple[Finding, ...]) -> list[str]:
    """Each finding in a sentence, wrapped, its advice under it."""
    lines = []
    for finding in findings:
        lines += _wrapped(f"{finding.severity}: {finding.sentence}", "")
        if finding.advice and finding.severity != "note":
            lines += _wrapped(finding.advice, "    ")
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    """Lines of at most 112 characters that part no number from its sign."""
    kept = unbroken(visible(text)).replace("% (", "%\u00a0(")
    lines = textwrap.wrap(
        kept, WIDTH, subsequent_indent="    ", initial_indent=indent, break_on_hyphens=False
    )
    return [line.replace("\u00a0", " ") for line in lines]
