"""What is under way when the server stops, and is called off once its patience is over."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from appliance.pages.errors import StoppingError, problem
from appliance.sentences import ENGLISH, Language


class Stoppable:
    """An application whose callers are told where they are called off, rather than dropped with a traceback logged."""

    def __init__(self, app: Callable[..., Awaitable[None]], language: Language = ENGLISH) -> None:
        self._app = app
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or 503 where it is called off before its answer has begun."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not begun:
                told = problem(StoppingError("Shoebox is being stopped or restarted.", "Try it again in a minute."))
                headers = {"Connection": "close", "Retry-After": "60"}
                body = told.body(self._language)
                await JSONResponse(body, told.status, headers, "application/problem+json")(scope, receive, send)
