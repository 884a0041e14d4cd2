"""What needs timm and torchvision; `make test-zoo` runs it, and prints how far apart the answers lie."""

from importlib.metadata import version
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is `zoo`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.zoo)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The distances ‖ours − theirs‖ / ‖theirs‖ that were measured, and what they were measured with."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    found = [pair for report in reports for pair in report.user_properties if pair[0].startswith("apart: ")]
    if found:
        versions = (f"{name} {version(name)}" for name in ("torch", "torchvision", "timm"))
        terminalreporter.section(", ".join(versions))
        for name, distance in found:
            terminalreporter.write_line(f"{name.removeprefix('apart: ')}: {distance:.1e}")
