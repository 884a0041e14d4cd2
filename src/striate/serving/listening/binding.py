"""The socket that the service listens on, or a sentence that says why it cannot be had."""

import errno
import socket

import striate
from striate.serving.guarding.authorities import address_name

BACKLOG = 1024
"""Connections that wait to be taken."""
REASONS = {
    errno.EADDRINUSE: "another program listens there. --port 0 takes any port that is free.",
    errno.EADDRNOTAVAIL: "it is no address of this machine. --host 127.0.0.1 is one that only this machine reaches.",
    errno.EACCES: "the system keeps ports below 1024 for others. --port 8808, for one, is free to use.",
}


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine.

    Raises StriateError where the address is none, or is taken.

    >>> with listening("127.0.0.1", 0) as made:
    ...     made.getsockname()[0]
    '127.0.0.1'
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise striate.StriateError(
            f"--host {host}: there is no such address. Give one of this machine, such as 127.0.0.1."
        ) from None
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        why = REASONS.get(error.errno or 0, f"{error.strerror}.")
        raise striate.StriateError(f"{address_name(host)}:{port}: {why}") from None
    made.setblocking(False)
    return made
