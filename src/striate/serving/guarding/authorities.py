"""The names by which the service may be asked for, and whether the page that asks is its own.

A page of any site can have its own name lead to this machine ("DNS rebinding") and then read what the service says:
so the name in `Host` must be one that was agreed on. It can also send a browser here without reading the answer: so
an `Origin` must be the service itself (RFC 6454; RFC 9110, section 7.2).
"""

import re
from dataclasses import dataclass

from striate.serving.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
"""Addresses that stand for all of the machine's own, and so are no name of it."""
AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9_.-]*)(?::([0-9]{1,5}))?")


@dataclass(frozen=True)
class Authority:
    """A host's name in small letters, an IPv6 address in brackets, with the port where one is named."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"


def authority_of(text: str) -> Authority | None:
    """The name and port that a `Host` header or an option names; None where it is no such thing.

    >>> authority_of("[::1]:8808"), authority_of("LocalHost"), authority_of("a b")
    (Authority(name='[::1]', port=8808), Authority(name='localhost', port=None), None)
    """
    found = AUTHORITY.fullmatch(text.lower())
    return None if found is None else Authority(found[1], int(found[2]) if found[2] else None)


def address_name(host: str) -> str:
    """An address as it stands in a URL: IPv6 in brackets.

    >>> address_name("::1"), address_name("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host else host.lower()


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    return address_name(host) in LOOPBACK or host.startswith("127.")


def own_names(settings: Settings) -> tuple[Authority, ...]:
    """What `Host` may say. A name without a port goes with any: a proxy before the service has one of its own.

    >>> [str(name) for name in own_names(Settings(port=80, host_names=("scan.example.org",)))]
    ['127.0.0.1:80', '[::1]:80', 'localhost:80', 'scan.example.org']
    """
    addresses = LOOPBACK | ({address_name(settings.host)} if settings.host not in EVERYWHERE else set())
    given = [authority_of(name) for name in settings.host_names]
    return (
        *(Authority(name, settings.port) for name in sorted(addresses)),
        *(name for name in given if name is not None),
    )


def is_own(host: Authority, names: tuple[Authority, ...]) -> bool:
    """Whether a `Host` is one of the names; without a port it means port 80."""
    return any(host.name == name.name and name.port in (None, host.port or 80) for name in names)


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` is the very host that is asked; a proxy may speak https with the browser.

    >>> is_same_origin("http://localhost:8808", "localhost:8808"), is_same_origin("null", "localhost:8808")
    (True, False)
    """
    scheme, separator, authority = origin.lower().partition("://")
    return separator != "" and scheme in ("http", "https") and authority == host.lower()
