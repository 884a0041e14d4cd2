"""Whether the process lives, whether it can answer, and what it has done."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from striate.serving.refusals import Refusal
from striate.serving.service import Service


def router(service: Service) -> APIRouter:
    """`/health/live`, `/health/ready` and `/metrics`."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @routes.get("/health/ready")
    async def ready() -> dict[str, str]:
        """Answers can be had: the run is loaded and the golden test passed; 503 otherwise."""
        if service.draining:
            raise Refusal(503, "The service is stopping.", headers={"Retry-After": "10"})
        if service.state not in ("ready", "none"):
            service.require_classifier()
        return {"status": "ready"}

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Counters for Prometheus."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return routes
