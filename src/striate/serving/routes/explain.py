"""Where the network looked on a picture, by a method that is right for it and within the service's time."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

import striate
from striate.serving.answering.uploads import picture_of
from striate.serving.service import Service
from striate.serving.telling.explaining import asked_of, methods_of, reason_of, require_within


def router(service: Service) -> APIRouter:
    """`GET /explain/methods` and `POST /explain`."""
    routes = APIRouter(tags=["explain"])
    known: dict[int, striate.ExplanationChoices] = {}

    async def choices() -> striate.ExplanationChoices:
        classifier = service.require_classifier()
        if id(classifier) not in known:
            known[id(classifier)] = await service.at_work(striate.explanation_choices, classifier)
        return known[id(classifier)]

    @routes.get("/explain/methods")
    async def methods() -> dict[str, Any]:
        """The methods of explanation, each with the reason where it is refused, and the stages with their maps."""
        return methods_of(await choices(), service.settings.max_work)

    @routes.post("/explain")
    async def explain(
        request: Request,
        method: Annotated[str, Query(description="A name of GET /explain/methods.")] = "gradcam",
        stage: Annotated[
            str | None, Query(description="The stage to look at; the default one if none.")
        ] = None,
        label: Annotated[
            str | None, Query(description="The class to explain; the predicted one if none.")
        ] = None,
        settings: Annotated[
            list[str] | None,
            Query(alias="set", description="An option of the method, name=value.", max_length=16),
        ] = None,
    ) -> dict[str, Any]:
        """The map of one picture as float32 numbers, its range, and what its reader must know.

        Send the file as the body or as multipart/form-data. `values` is little-endian float32, row by row, in base64.
        """
        classifier = service.require_classifier()
        possible = await choices()
        asked, options = asked_of(method, stage, label, settings or ())
        require_within(possible, method, options, service.settings.max_work)
        upload = await picture_of(request, service)
        picture = await service.decode(upload.data, draft=classifier.preparation_.draft_size())
        told = await service.at_work(reason_of, classifier, possible, picture, asked)
        return {**told, "source": upload.name}

    return routes
