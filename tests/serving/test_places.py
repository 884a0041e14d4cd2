"""Requests under way at once are bounded, so that the loop goes round quickly; what works nothing out never waits."""

import asyncio
from typing import Any

from starlette.types import Message

from striate.serving.guarding.limits import PLACES, Limits
from striate.serving.service import Service
from striate.serving.settings import Settings


def scope(method: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": "/predict", "headers": []}


async def nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def unheard(message: Message) -> None:
    pass


def test_so_many_posts_are_under_way_and_a_get_waits_for_none() -> None:
    under_way: list[int] = [0]
    most: list[int] = []
    ended: list[str] = []

    async def route(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            under_way[0] += 1
            most.append(under_way[0])
            await asyncio.sleep(0.02)
            under_way[0] -= 1
        ended.append(scope["method"])

    async def ask() -> None:
        limits = Limits(route, Service(Settings()))
        posts = [asyncio.create_task(limits(scope("POST"), nothing, unheard)) for _ in range(3 * PLACES)]
        await asyncio.sleep(0.001)
        await asyncio.wait_for(limits(scope("GET"), nothing, unheard), 1)
        assert ended == ["GET"]
        await asyncio.gather(*posts)

    asyncio.run(ask())
    assert max(most) == PLACES
    assert ended.count("POST") == 3 * PLACES
