"""What may be set of the service: where it listens, and how much it takes."""

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the service listens, who may ask it, and its limits.

    `batch` pictures are answered at once at most, `queue` wait or are worked on at most before a request is
    answered 503; `tasks` explanations, filters and the like likewise. `max_body` bytes of one request,
    `max_held` of all together, `max_files` pictures of a request, `max_pixels` of a picture, `max_work`
    multiply-adds of an explanation, `max_connections` clients at the same time; `timeout` seconds for a body to
    come, and for an answer.
    """

    host: str = "127.0.0.1"
    port: int = 8808
    token: str | None = None
    host_names: tuple[str, ...] = ()
    engine: str = "auto"
    batch: int = 64
    queue: int = 512
    tasks: int = 16
    max_body: int = 32 * MEGABYTE
    max_held: int = 256 * MEGABYTE
    max_files: int = 256
    max_pixels: int = 20_000_000
    max_work: int = 400_000_000_000
    max_connections: int = 512
    timeout: float = 30.0
    run: Path | None = None
