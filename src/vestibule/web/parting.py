"""The last answers of a process that is leaving: each closes its connection (RFC 9112, section 9.6).

A balancer that keeps connections open would otherwise send a request into one just as it ends, and could not know
whether it was done. Once all are closed in this way, nobody has one left when the process stops.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.flows.env import Env


class Parting:
    """Wraps the application, behind the front door, which leaves these answers to it."""

    def __init__(self, app: ASGIApp, env_of: Callable[[], Env | None]) -> None:
        self._app = app
        self._env_of = env_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last(message: Message) -> None:
            # Asked when the answer begins: it may have begun to leave while the request was under way.
            if message["type"] == "http.response.start" and self._leaving():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, last if scope["type"] == "http" else send)

    def _leaving(self) -> bool:
        env = self._env_of()
        return env is not None and env.readiness.draining
