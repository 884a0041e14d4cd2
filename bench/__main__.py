"""`python -m bench [NAME …]`: print measured figures as they come and write one table of them; without names, all."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from bench import (
    ablation,
    accuracy,
    audit,
    choice,
    compiled,
    crowded,
    data,
    device,
    explanation,
    extraction,
    fastai_peer,
    field,
    filters,
    keras_peer,
    memory,
    networks,
    pack,
    paths,
    precision,
    prediction,
    prediction_rate,
    rates,
    scaling,
    serving_hostile,
    serving_speed,
    small_maps,
    startup,
    step,
    time_to_accuracy,
    tricks,
    verdict,
)

TABLE = Path("build/bench.md")
BENCHES: dict[str, Callable[[Path], Iterator[str]]] = {
    "startup": startup.lines,
    "pack": pack.lines,
    "paths": paths.lines,
    "data": data.lines,
    "audit": audit.lines,
    "step": step.lines,
    "precision": precision.lines,
    "small_maps": small_maps.lines,
    "compiled": compiled.lines,
    "keras": keras_peer.lines,
    "fastai": fastai_peer.lines,
    "crowded": crowded.lines,
    "device": device.lines,
    "field": field.lines,
    "prediction": prediction.lines,
    "prediction_rate": prediction_rate.lines,
    "filters": filters.lines,
    "memory": memory.lines,
    "scaling": scaling.lines,
    "networks": networks.lines,
    "extraction": extraction.lines,
    "explanation": explanation.lines,
    "tricks": tricks.lines,
    "verdict": verdict.lines,
    "rates": rates.lines,
    "hostile": serving_hostile.lines,
    "serving": serving_speed.lines,
    "ablation": ablation.lines,
    "accuracy": accuracy.lines,
    "mnist_time": time_to_accuracy.mnist,
    "cifar_time": time_to_accuracy.cifar,
    "cifar_limit": time_to_accuracy.cifar_limit,
    "cifar_choice": choice.lines,
}


def machine() -> str:
    """What the figures were measured on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = [platform.processor()]
    return (
        f"{os.cpu_count()} cores of {names[0]}, Python {platform.python_version()}, torch {version('torch')}"
    )


def main() -> None:
    """Run the named benches, or all, a line each as soon as it is known."""
    wanted = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in wanted if name not in BENCHES]
    data = os.environ.get("STRIATE_DATA")
    if unknown or data is None:
        sys.exit(
            f"unknown: {', '.join(unknown)}; there are {', '.join(BENCHES)}."
            if unknown
            else "Set STRIATE_DATA to the folder that holds mnist.zip and cifar10.zip."
        )
    print(machine(), flush=True)
    found = []
    for name in wanted:
        for line in BENCHES[name](Path(data)):
            print(f"{name:<12}{line}", flush=True)
            found.append((name, *parted(line)))
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(found), encoding="utf8")
    print(f"one table: {TABLE}")


def parted(line: str) -> tuple[str, str]:
    """What was measured, and the figure: what stands before the first colon, and the rest.

    >>> parted("epoch / bare step: 0.972 (0.961–0.980, n = 5)")
    ('epoch / bare step', '0.972 (0.961–0.980, n = 5)')
    """
    what, _, figure = line.partition(": ")
    return (what, figure) if figure else ("", line)


def table(found: list[tuple[str, str, str]]) -> str:
    """Everything measured as one table in Markdown, the machine above it."""
    rows = [f"| `{name}` | {what} | {figure} |".replace("||", "| |") for name, what, figure in found]
    return "\n".join([machine(), "", "| bench | what | figure |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    main()
