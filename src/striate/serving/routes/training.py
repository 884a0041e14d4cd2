"""A run's training for the page: how far it has come, its epochs as they come, and what an evaluation found."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from striate.serving.refusals import Refusal
from striate.serving.service import Service
from striate.serving.telling.training_judged import COMMAND, images_in_cell, judged
from striate.serving.telling.training_watch import Watch, summary

Name = Annotated[str, Query(max_length=1000)]


def router(service: Service) -> APIRouter:
    """The routes below /training; the run's folder is read, never written."""
    routes = APIRouter(prefix="/training", tags=["training"])
    watch = Watch(service.run, lambda: service.draining)

    @routes.get("", summary="How far the training has come, every epoch, and what an evaluation found")
    async def training() -> dict[str, Any]:
        progress = await watch.progress()
        found = await asyncio.to_thread(judged, service.run) if service.run else None
        return {
            **summary(progress),
            "history": list(progress.history),
            "evaluation": found,
            "evaluate": None if found else COMMAND,
        }

    @routes.get("/events", summary="The same as server-sent events: begin, epoch, state, end")
    async def events(
        last_event_id: Annotated[str | None, Header(max_length=200)] = None,
    ) -> StreamingResponse:
        watch.require_room()
        return StreamingResponse(
            watch.events(last_event_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @routes.get("/images", summary="The images of one cell of the confusion matrix")
    async def images(truth: Name, predicted: Name) -> dict[str, Any]:
        if service.run is None:
            raise Refusal(409, "This service was started without a run.", advice="striate serve RUN")
        return await asyncio.to_thread(images_in_cell, service.run, truth, predicted)

    return routes
