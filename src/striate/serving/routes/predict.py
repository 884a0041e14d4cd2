"""Classes and probabilities of pictures."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

import striate
from striate.serving.answering.uploads import Upload, pictures_of
from striate.serving.refusals import Refusal
from striate.serving.service import Service


def router(service: Service) -> APIRouter:
    """`POST /predict`."""
    routes = APIRouter(tags=["predict"])

    @routes.post("/predict", response_model=dict[str, Any])
    async def predict(
        request: Request,
        digests: Annotated[
            bool, Query(description="Tell the SHA-256 of what the network was given.")
        ] = False,
    ) -> Response:
        """The answer for one or several pictures, by what the run has decided, in the order they were sent.

        Send one file as the body, or any number as multipart/form-data. Of several, one that cannot be read has
        `error` in its place; one alone is answered 422.
        """
        classifier = service.require_classifier()
        uploads = await pictures_of(request, service)
        service.enter(len(uploads))
        try:
            answers = await answered(service, uploads, digests=digests)
        finally:
            service.leave(len(uploads))
        told = {"answers": [one.to_dict() for one in answers], "notes": classifier.notes_}
        return JSONResponse(told)  # as it is: FastAPI would look at every number of it

    return routes


async def answered(service: Service, uploads: list[Upload], *, digests: bool = False) -> list[striate.Answer]:
    """An answer to each picture; Refusal 422 where the only one cannot be read."""
    made = await service.prepare_all([one.data for one in uploads])
    if len(made) == 1 and isinstance(made[0], Refusal):
        raise made[0]
    readable = [
        (upload.name, pixels)
        for upload, pixels in zip(uploads, made, strict=True)
        if not isinstance(pixels, Refusal)
    ]
    given = iter(await service.answer(readable))
    return [_counted(service, one, pixels, given, digests) for one, pixels in zip(uploads, made, strict=True)]


def _counted(
    service: Service, upload: Upload, pixels: "np.ndarray | Refusal", given: Any, digests: bool
) -> striate.Answer:
    if isinstance(pixels, Refusal):
        service.metrics.pictures.labels("unreadable").inc()
        return striate.Answer(upload.name, error=pixels.said)
    answer = next(given)
    service.metrics.pictures.labels("no answer" if answer.abstained else "answered").inc()
    if not digests:
        return answer
    return striate.Answer(**{**vars(answer), "digest": service.require_responder().digest(pixels)})
