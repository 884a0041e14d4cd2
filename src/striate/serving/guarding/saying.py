"""How a refusal is said over HTTP."""

from starlette.responses import JSONResponse

from striate.serving.refusals import Refusal


def said(path: str, refusal: Refusal) -> JSONResponse:
    """The answer of a refusal; below /v2 its error is a sentence, as that protocol has it, with the rest beside it."""
    body = refusal.to_dict()
    if path.startswith("/v2/"):
        body = {"error": refusal.said, "details": body["error"]}
    return JSONResponse(body, refusal.status, headers=refusal.headers)
