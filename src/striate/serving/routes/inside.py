"""The network from the inside: its table, and what its layers make of a picture, down to one cell's arithmetic."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request

import striate
from striate.serving.answering.uploads import picture_of
from striate.serving.refusals import Refusal
from striate.serving.service import Service
from striate.serving.telling import inside_told
from striate.serving.telling.inside_asked import (
    AskedCell,
    AskedKernels,
    AskedMaps,
    AskedOverview,
    known_layer,
    require_cell,
)


def router(service: Service) -> APIRouter:
    """The routes below /inside; nothing of a picture is kept between them."""
    routes = APIRouter(prefix="/inside", tags=["inside"])
    known: dict[int, striate.NetworkTable] = {}

    async def table() -> striate.NetworkTable:
        predictor = service.require_classifier().predictor_
        if id(predictor.network) not in known:
            shape = predictor.preparation.input_shape()
            made = await service.at_work(striate.network_table, predictor.network, shape)
            known[id(predictor.network)] = made
        return known[id(predictor.network)]

    @routes.get(
        "/network", summary="Stages and layers: shapes, parameters, receptive fields, what reads what"
    )
    async def network() -> dict[str, Any]:
        classifier = service.require_classifier()
        found = await table()
        return {
            **found.to_dict(),
            "model": classifier.recipe_.model,
            "classes": list(classifier.class_names_),
            "examples": [
                {"name": one.name, "title": one.title, "credit": one.credit}
                for one in striate.EXAMPLE_PICTURES.values()
            ],
        }

    @routes.get("/picture", summary="An example picture as the network sees it, and the answer to it")
    async def example(
        name: Annotated[str, Query(max_length=80, description="A name of GET /inside/network.")],
    ) -> dict[str, Any]:
        classifier = service.require_classifier()
        if name not in striate.EXAMPLE_PICTURES:
            names = ", ".join(striate.EXAMPLE_PICTURES)
            raise Refusal(404, "There is no such example picture.", given=name, allowed=names)
        pixels = await service.at_work(striate.example_picture, name)
        try:
            return await seen(name, classifier.predictor_.preparation.pixels(pixels))
        except striate.ImageError as error:
            raise Refusal(422, f"The example cannot be shown to this network: {error}.") from error

    @routes.post("/picture", summary="A picture as the network sees it, and the answer to it")
    async def picture(request: Request) -> dict[str, Any]:
        upload = await picture_of(request, service)
        return await seen(upload.name, await service.prepare(upload.data))

    async def seen(name: str, pixels: np.ndarray) -> dict[str, Any]:
        predictor = service.require_classifier().predictor_
        service.enter(1)
        try:
            (answer,) = await service.answer([(name, pixels)])
        finally:
            service.leave(1)
        told = await service.at_work(inside_told.prepared, name, striate.seen_part(predictor, pixels))
        return {**told, "answer": answer.to_dict()}

    @routes.post("/overview", summary="The strongest maps of every stage, at most 64 of each")
    async def overview(asked: AskedOverview) -> dict[str, Any]:
        classifier = service.require_classifier()
        return await service.at_work(inside_told.overview, classifier, asked)

    @routes.post("/maps", summary="The maps of a layer or a stage, strongest first, at most 64 at once")
    async def maps(asked: AskedMaps) -> dict[str, Any]:
        classifier, found = service.require_classifier(), await table()
        cells = known_layer(found, asked.layer, picture=True)
        for channel in asked.channels or ():
            require_cell(asked.layer, cells, channel)
        return await service.at_work(inside_told.maps, classifier, found, asked)

    @routes.post("/kernels", summary="The kernels of one channel, one for each input channel that it reads")
    async def kernels(asked: AskedKernels) -> dict[str, Any]:
        classifier, found = service.require_classifier(), await table()
        require_cell(asked.layer, known_layer(found, asked.layer), asked.channel)
        return await service.at_work(inside_told.kernels, classifier, found, asked)

    @routes.post(
        "/cell", summary="One cell's arithmetic: window, kernel, products, sum, bias, and what follows"
    )
    async def cell(asked: AskedCell) -> dict[str, Any]:
        classifier, found = service.require_classifier(), await table()
        require_cell(asked.layer, known_layer(found, asked.layer), asked.channel, asked.row, asked.column)
        return await service.at_work(inside_told.cell, classifier, found, asked)

    return routes
