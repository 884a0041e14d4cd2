"""Runs in a process of its own: decodes what stands on the standard input, and says what that took."""

import resource
import sys
import time

from striate.errors import ImageError
from striate.pixels.reading import decode_picture


def peak_kibibytes() -> int:
    """The most memory this program ever held; the process that started it does not count, unlike in ru_maxrss."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Prints the error, the seconds and the additional peak memory in MiB, one a line."""
    import imagecodecs

    # What a first call loads is not the picture's doing.
    for name in ("jpeg2k", "png", "jpeg8", "lzw"):
        getattr(imagecodecs, f"{name}_decode")
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    before, start = peak_kibibytes(), time.perf_counter()
    try:
        decode_picture(data)
        outcome = "read"
    except ImageError as error:
        outcome = str(error)
    print(outcome)
    print(time.perf_counter() - start)
    print((peak_kibibytes() - before) / 1024)


if __name__ == "__main__":
    main()
