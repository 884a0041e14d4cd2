"""Damages files in every way and decodes what is left, in a process that may crash, hang or run out of memory.

Run as `mutations.py LOG COUNT [FOLDER]`: `COUNT` mutations of every golden picture, and of every file of a folder.
Before each one the log says which, so that a process that dies has named its killer.
The line after it says what was wrong.
"""

import os
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np
from encoders import chunk
from golden import GOLDEN
from golden_kit import SMOOTH3, pillow, written_tiff
from in_a_child import peak_kibibytes

from striate.errors import ImageError
from striate.pixels.reading import count_images, decode_picture, describe_image

SECONDS = 5
PEAK_MEBIBYTES = 3072
# Errors of Python's own that mean a fault in the program, whatever words they are wrapped in.
FAULTS = (AttributeError, NameError, TypeError, AssertionError, NotImplementedError, RecursionError)


def seeds(folder: str | None) -> list[tuple[str, bytes, int]]:
    """Name, bytes and number of the picture of every file to damage."""
    found = [(case.name, case.data, case.image) for case in GOLDEN]
    photo = np.tile(SMOOTH3, (8, 8, 1))
    found += [
        (f"photo {kind}", pillow(photo, kind), 0) for kind in ("JPEG", "WEBP", "GIF", "JPEG2000", "PNG")
    ]
    found += [("photo lzw", written_tiff(photo, compression="lzw", predictor=True, rowsperstrip=7), 0)]
    if folder:
        found += [(str(path), path.read_bytes(), 0) for path in sorted(Path(folder).rglob("*.dcm"))]
    return found


def mutated(name: str, data: bytes, other: bytes, number: int) -> tuple[str, bytes]:
    """One way to damage a file, chosen by its name and a number alone, and what it was."""
    random = np.random.Generator(np.random.Philox([number, *name.encode()[-16:]]))
    size = len(data)
    # Headers stand in front: half of the damage is done there.
    reach = size if random.random() < 0.5 else min(size, 256)
    start = int(random.integers(0, reach))
    length = int(random.integers(1, max(2, min(size - start, 64) + 1)))
    kind = ("cut", "flip", "zero", "splice", "bytes", "repeat")[number % 6]
    if kind == "cut":
        return f"cut at {start}", data[:start]
    changed = bytearray(data)
    if kind == "flip":
        places = [int(place) for place in random.integers(0, reach, int(random.integers(1, 6)))]
        for place in places:
            changed[place] ^= 1 << int(random.integers(0, 8))
        return f"a bit flipped at {places}", bytes(changed)
    if kind == "zero":
        changed[start : start + length] = bytes(len(changed[start : start + length]))
    elif kind == "bytes":
        changed[start : start + 4] = random.choice(
            [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0"]
        )
    elif kind == "repeat":
        changed[start:start] = changed[start : start + length] * 3
    else:
        begin = int(random.integers(0, len(other)))
        changed[start : start + length] = other[begin : begin + length]
    return f"{kind} at {start}, {length} bytes", bytes(changed)


def resealed(data: bytes) -> bytes:
    """A PNG with the checksums that its damaged chunks would have, so that the damage reaches the decoder."""
    parts, start = [data[:8]], 8
    while start + 12 <= len(data):
        length = int.from_bytes(data[start : start + 4])
        if start + 12 + length > len(data):
            break
        parts.append(chunk(data[start + 4 : start + 8], data[start + 8 : start + 8 + length]))
        start += 12 + length
    return b"".join(parts) + data[start:]


def fault(data: bytes, image: int) -> str | None:
    """What is wrong with how the reader takes these bytes, or None."""
    for door in (decode_picture, describe_image, count_images):
        try:
            door(data) if door is count_images else door(data, image)
        except ImageError as error:
            if isinstance(error.__cause__, FAULTS):
                return f"{door.__name__}: {error} ({error.__cause__!r})"
            if not str(error) or "\n" in str(error):
                return f"{door.__name__}: the reason is no sentence: {error!r}"
        except Exception as error:
            return f"{door.__name__}: {error!r}"
    return None


def main() -> None:
    """Damages and decodes; the last line of the log is `done`, how many, the peak MiB, and the slowest one."""
    log, count, folder = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
    resource.setrlimit(resource.RLIMIT_AS, (PEAK_MEBIBYTES << 20, PEAK_MEBIBYTES << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = seeds(folder)
    slowest = 0.0, ""
    with log.open("w") as lines:
        for place, (name, data, image) in enumerate(files):
            other = files[place - 7][1]
            for number in range(count):
                said, damaged = mutated(name, data, other, number)
                if data.startswith(b"\x89PNG") and number % 12 >= 6:
                    said, damaged = f"{said}, checksums renewed", resealed(damaged)
                lines.write(f"{name}, mutation {number}: {said}\n")
                lines.flush()
                # The default action of SIGALRM ends the process, whatever a decoder in C is doing.
                signal.alarm(3 * SECONDS)
                start = time.perf_counter()
                wrong = fault(damaged, image)
                took = time.perf_counter() - start
                signal.alarm(0)
                slowest = max(slowest, (took, f"{name}, mutation {number}"))
                if wrong or took > SECONDS:
                    lines.write(f"FAULT {wrong or f'{took:.1f} s'}\n")
        total = len(files) * count
        lines.write(f"done {total} {peak_kibibytes() >> 10} {slowest[0]:.2f} {slowest[1]}\n")
    os._exit(0)


if __name__ == "__main__":
    main()
