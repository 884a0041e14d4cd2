"""Signing in: the token once in a header, and from then on a cookie, which the page's own files need."""

from fastapi import APIRouter, Response

from striate.serving.guarding.tokens import Token
from striate.serving.refusals import Refusal
from striate.serving.service import Service


def router(service: Service) -> APIRouter:
    """`/session`, where the guard has seen the token, or the cookie, before anything here is asked."""
    routes = APIRouter(tags=["session"])

    @routes.get("/session", status_code=204)
    async def session() -> None:
        """Whether whoever asks is signed in: 204, or 401."""

    @routes.post("/session", status_code=204, response_class=Response)
    async def sign_in() -> Response:
        """A cookie for a browser that sent the token as `Authorization: Bearer TOKEN`."""
        token = token_of(service)
        answer = Response(status_code=204)
        answer.set_cookie(token.cookie_name, token.cookie, httponly=True, samesite="strict", path="/")
        return answer

    @routes.delete("/session", status_code=204, response_class=Response)
    async def sign_out() -> Response:
        """The cookie taken back."""
        answer = Response(status_code=204)
        answer.delete_cookie(token_of(service).cookie_name, httponly=True, samesite="strict", path="/")
        return answer

    return routes


def token_of(service: Service) -> Token:
    """The service's token; Refusal 409 where it asks for none."""
    if not service.settings.token:
        raise Refusal(409, "This service asks for no token.", advice="Go on without signing in.")
    return Token(service.settings.token, service.settings.port)
