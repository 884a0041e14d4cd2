"""What every answer says to the browser: run nothing, load nothing and be framed by nothing that is not from here."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from striate.serving.service import Service

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
}
"""Said with every answer, whatever it is."""


class Headers:
    """Middleware: every answer has the headers above, and no cache keeps any but the page's own files.

    While the service ends, every answer is the last one of its connection.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(ALWAYS)
                # A file of the page is asked for again with its ETag; nothing else is kept at all.
                headers.setdefault("Cache-Control", "no-cache" if "etag" in headers else "no-store")
                if self.service.draining:
                    headers["Connection"] = "close"
            await send(message)

        await self.app(scope, receive, said)
