"""Memory that a process may still take: what the system has left, or what its group of processes is allowed."""

import os
from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")
GROUPS = Path("/proc/self/cgroup")
CONTROL = Path("/sys/fs/cgroup")


def available_memory(device: torch.device) -> int | None:
    """Bytes that are free on a device for this process to take; None where the system does not say.

    >>> available_memory(torch.device("cpu")) > 0
    True

    On a processor the less of what Linux calls MemAvailable and what the limits of control groups leave (a
    container's, for example); what those hold in files that can be read again counts as free.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    left = [bytes_left for bytes_left in (of_system(), *of_groups()) if bytes_left is not None]
    return min(left, default=None) if device.type == "cpu" else None


def resident_memory() -> int:
    """Bytes that this process has in memory now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def of_system(meminfo: Path = MEMINFO) -> int | None:
    """What new processes could take without swapping; see proc(5)."""
    kib = numbers_in(meminfo, "MemAvailable:").get("MemAvailable:")
    return None if kib is None else 1024 * kib


def of_groups(groups: Path = GROUPS, control: Path = CONTROL) -> list[int]:
    """What each control group above this process leaves it, of version 2 and of version 1."""
    try:
        lines = [line.split(":", 2) for line in groups.read_text().splitlines()]
    except OSError:
        return []
    left = []
    for _, kinds, path in (line for line in lines if len(line) == 3):
        if not kinds:
            names = ("memory.max", "memory.current", "inactive_file")
            left += along(control, path, names)
        elif "memory" in kinds.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            left += along(control / "memory", path, names)
    return left


def along(root: Path, path: str, names: tuple[str, str, str]) -> list[int]:
    """What is left in a group and in those that it lies in: its limit less what is used and cannot be had again."""
    limit, usage, again = names
    inner = root / path.strip("/")
    folders = [folder for folder in (inner, *inner.parents) if folder.is_relative_to(root)]
    left = []
    for folder in folders:
        allowed, used = number_in(folder / limit), number_in(folder / usage)
        if allowed is not None and used is not None:
            left.append(max(0, allowed - used + numbers_in(folder / "memory.stat", again).get(again, 0)))
    return left


def number_in(path: Path) -> int | None:
    """The whole number in a file; None where there is no such file, or a word such as max."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def numbers_in(path: Path, *names: str) -> dict[str, int]:
    """The numbers that stand after some names, a name a line."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
        return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[0] in names}
    except (OSError, ValueError):
        return {}
