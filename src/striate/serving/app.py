"""The service as an application: its routes, what guards them, and how whatever goes wrong is said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import striate
from striate.serving.guarding.guard import Guard
from striate.serving.guarding.headers import Headers
from striate.serving.guarding.journal import Journal
from striate.serving.guarding.limits import Limits
from striate.serving.guarding.saying import said
from striate.serving.refusals import Refusal, as_refusal
from striate.serving.routes import (
    explain,
    health,
    inference,
    inside,
    kernels,
    model,
    predict,
    session,
    thumbnails,
    training,
)
from striate.serving.service import Service

PAGE = Path(__file__).parent / "page"
ADDRESSES = {"index.html": "/", "api.html": "/docs"}
ROUTES = (health, model, predict, thumbnails, explain, inside, kernels, training, inference, session)


def create_app(service: Service) -> FastAPI:
    """Every route of the service over one run, and the page."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.close()

    app = FastAPI(
        title="striate",
        version=version("striate"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    for routes in ROUTES:
        app.include_router(routes.router(service))
    add_page(app)
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    # The last one added is the first to see a request.
    app.state.service = service
    app.add_middleware(Limits, service=service)
    app.add_middleware(Guard, settings=service.settings)
    app.add_middleware(Journal, metrics=service.metrics)
    app.add_middleware(Headers, service=service)
    return app


def add_page(app: FastAPI) -> None:
    """The page's files, each under its own address: a mount at `/` would hide that `GET /predict` is a wrong method."""

    def file_at(path: Path) -> Callable[[], Awaitable[FileResponse]]:
        async def file() -> FileResponse:
            return FileResponse(path)

        return file

    for path in sorted(PAGE.iterdir()):
        if path.is_dir():
            app.mount(f"/{path.name}", StaticFiles(directory=path))
        else:
            address = ADDRESSES.get(path.name, f"/{path.name}")
            app.add_api_route(
                address,
                file_at(path),
                methods=["GET", "HEAD"],
                include_in_schema=False,
                response_class=FileResponse,
            )


async def refused(request: Request, error: Exception) -> JSONResponse:
    """A refusal as JSON; the package's own errors likewise."""
    if isinstance(error, striate.StriateError):
        error = as_refusal(error)
    assert isinstance(error, Refusal), "registered for these alone"
    return said(request.url.path, error)


async def not_there(request: Request, error: Exception) -> JSONResponse:
    """404, 405 and the like."""
    assert isinstance(error, HTTPException), "registered for these alone"
    told = {
        404: "There is nothing under this address.",
        405: "This address does not take this method.",
    }
    advice = "GET /openapi.json lists every address with what it takes."
    refusal = Refusal(error.status_code, told.get(error.status_code, str(error.detail)), advice=advice)
    refusal.headers.update(error.headers or {})
    return said(request.url.path, refusal)


async def not_valid(request: Request, error: Exception) -> JSONResponse:
    """Parameters that are not what the address takes."""
    assert isinstance(error, RequestValidationError), "registered for these alone"
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    refusal = Refusal(
        422,
        f"{where}: {first['msg']}.",
        given=str(first.get("input"))[:200],
        allowed=str(first.get("ctx", {}).get("expected", "")) or None,
        advice="GET /openapi.json says what each address takes.",
    )
    return said(request.url.path, refusal)


HANDLERS: dict[type[Exception] | int, Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
    Refusal: refused,
    striate.StriateError: refused,
    HTTPException: not_there,
    RequestValidationError: not_valid,
}
