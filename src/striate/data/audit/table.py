"""The table that a user edits: one row a finding and image, with room for a decision; and safe in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from striate.data.audit.finding import Finding

COLUMNS = ("finding", "severity", "source", "label", "other", "detail", "action", "new_label")
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection); a text that looks guarded already is
# guarded once more, so that what is read back is always what was written.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def audit_csv(findings: Iterable[Finding]) -> bytes:
    """The findings about images as csv in UTF-8 with a byte order mark, which spreadsheets need to know it as such."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding in findings:
        for case in finding.cases:
            cells = (finding.kind, finding.severity, case.source, case.label, case.other, case.detail, "", "")
            writer.writerow([guarded(cell) for cell in cells])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", errors="surrogateescape")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> guarded("=1+1.png"), guarded("cat/1.png"), plain(guarded("'quoted"))
    ("'=1+1.png", 'cat/1.png', "'quoted")
    """
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


def plain(cell: str) -> str:
    """A cell as it was before it was guarded; one that a spreadsheet has stripped of its guard stays as it is."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(DANGEROUS) else cell
