"""Pictures of any kind as small PNGs, for a page whose browser cannot show them all."""

import asyncio
import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

import striate
from striate.serving.answering.uploads import Upload, pictures_of
from striate.serving.refusals import Refusal
from striate.serving.service import Service


def router(service: Service) -> APIRouter:
    """`POST /thumbnails`."""
    routes = APIRouter(tags=["thumbnails"])

    @routes.post("/thumbnails")
    async def thumbnails(
        request: Request,
        side: Annotated[int, Query(ge=16, le=512, description="Pixels of the longer side, at most.")] = 96,
    ) -> dict[str, list[dict[str, Any]]]:
        """Each picture as a PNG in base64 with its shape and depth, or with `error`, in the order they were sent."""
        uploads = await pictures_of(request, service)
        service.enter(len(uploads))
        try:
            return {"thumbnails": [await thumbnail(service, one, side) for one in uploads]}
        finally:
            service.leave(len(uploads))

    return routes


async def thumbnail(service: Service, upload: Upload, side: int) -> dict[str, Any]:
    """One picture for the eye; one that cannot be read says why."""
    try:
        picture = await service.decode(upload.data, draft=(side, side))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return {"source": upload.name, "error": refusal.said}
    given = picture.description
    window = given.window
    small = await asyncio.to_thread(striate.preview, picture.pixels, window=window, largest=side)
    return {
        "source": upload.name,
        "png": base64.b64encode(small.png).decode(),
        "words": small.words,
        "shape": [given.height, given.width, given.channels],
        "depth": given.depth,
        "format": given.format,
    }
