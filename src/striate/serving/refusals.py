"""An answer that is no: what was said, given and allowed, and what to try, as JSON with a 4xx or 5xx status."""

from collections.abc import Mapping
from typing import Any

import striate


class Refusal(Exception):
    """A request that is not answered as asked, in words for whoever asked.

    >>> Refusal(404, "There is no stage conv9.", given="conv9", allowed="conv1, conv2").to_dict()["error"]["allowed"]
    'conv1, conv2'
    """

    def __init__(
        self,
        status: int,
        said: str,
        *,
        given: str | None = None,
        allowed: str | None = None,
        advice: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(said)
        self.status, self.said = status, said
        self.given, self.allowed, self.advice = given, allowed, advice
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "error": {"said": self.said, "given": self.given, "allowed": self.allowed, "try": self.advice}
        }


def busy(said: str) -> Refusal:
    """503: come back in a second."""
    return Refusal(503, said, advice="Ask again in a second.", headers={"Retry-After": "1"})


def as_refusal(error: striate.StriateError) -> Refusal:
    """What the package says of wrong input, as an answer: 400 for what was asked, 422 for a picture."""
    status = 400 if isinstance(error, striate.UsageError) else 422
    return Refusal(status, str(error))
