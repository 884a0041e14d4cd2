"""Kernels on the user's own picture: a working copy, the named kernels, a filter, and one cell worked."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

import striate
from striate.serving.answering.uploads import picture_of
from striate.serving.refusals import Refusal
from striate.serving.service import Service
from striate.serving.telling.kernel_asked import FARTHEST, LONGEST_SIDE, WIDEST, Asked, AskedCell, times
from striate.serving.telling.kernel_worked import coded, filtered, rows_of, worked

LONGEST = 256
"""Pixels of the longer side of a working copy unless another is asked for."""
Longest = Annotated[int, Query(description="Pixels of the longer side at most.", ge=8, le=LONGEST_SIDE)]


def router(service: Service) -> APIRouter:
    """The routes below /kernels; nothing of a picture is kept between them."""
    routes = APIRouter(prefix="/kernels", tags=["kernels"])

    @routes.get("", summary="The named kernels, the words of every option, and the example pictures")
    def everything() -> dict[str, Any]:
        return catalogue()

    @routes.get("/picture", summary="The working copy of an example picture")
    async def example(name: str = "roof", longest: Longest = LONGEST) -> dict[str, Any]:
        if name not in striate.EXAMPLE_PICTURES:
            names = ", ".join(striate.EXAMPLE_PICTURES)
            raise Refusal(404, "There is no such example picture.", given=name[:80], allowed=names)
        pixels = await service.at_work(striate.example_picture, name)
        return copied(name, pixels, longest)

    @routes.post("/picture", summary="The working copy of a picture of any kind that striate reads")
    async def picture(request: Request, longest: Longest = LONGEST) -> dict[str, Any]:
        upload = await picture_of(request, service)
        service.enter(1)
        try:
            read = await service.decode(upload.data)
            return await service.at_work(copied, upload.name, read.pixels, longest, read.description.window)
        finally:
            service.leave(1)

    @routes.post("/filter", summary="A filter or a pooling of a working copy")
    async def filter_(asked: Asked) -> dict[str, Any]:
        return await service.at_work(filtered, asked)

    @routes.post("/step", summary="One cell of the result: window, kernel, products, sum")
    async def step(asked: AskedCell) -> dict[str, Any]:
        return await service.at_work(worked, asked)

    return routes


def copied(name: str, pixels: Any, longest: int, window: Any = None) -> dict[str, Any]:
    """A working copy and a sentence about how it came from the picture; Refusal 422 where it cannot be shown."""
    try:
        copy = striate.working_copy(pixels, longest, window=window)
    except striate.ImageError as error:
        raise Refusal(422, f"The picture cannot be shown: {error}.") from error
    depth, size = str(pixels.dtype), copy.pixels.shape[:2]
    reduced = f"; reduced to {times(size)}" if size != pixels.shape[:2] else ""
    eight = "" if depth == "uint8" else f"; in 8 bits: {copy.words}"
    return {
        "name": name,
        "picture": coded(copy.pixels),
        "original": {"shape": list(pixels.shape), "depth": depth},
        "said": f"{times(pixels.shape)}, {depth}{reduced}{eight}",
    }


def catalogue() -> dict[str, Any]:
    """All that the view can choose from, in the words of `striate filter`."""
    aliases: dict[str, list[str]] = {}
    for alias, name in striate.kernels.ALIASES.items():
        aliases.setdefault(name, []).append(alias)
    return {
        "named": [
            {
                "name": named.name,
                "aliases": aliases.get(named.name, []),
                "summary": named.summary,
                "source": named.source,
                "rows": rows_of(named.weights),
                "weights": named.weights.tolist(),
            }
            for named in striate.kernels.NAMED.values()
        ],
        "also": "gaussian:SIGMA, a Gaussian of that standard deviation in pixels",
        "operations": ["kernel", "max", "average"],
        "channels": ["each", "grey", "red", "green", "blue"],
        "paddings": ["valid", "same", "full"],
        "borders": ["zero", "edge", "reflect", "circular"],
        "indexings": ["cross-correlation", "convolution", "centred"],
        "pictures": [
            {"name": one.name, "title": one.title, "credit": one.credit}
            for one in striate.EXAMPLE_PICTURES.values()
        ],
        "limits": {"side": LONGEST_SIDE, "longest": LONGEST, "kernel": WIDEST, "pixels": FARTHEST},
    }
