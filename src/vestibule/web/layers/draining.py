"""Close each connection with its last answer while a process is draining (RFC 9112, section 9.6).

A balancer that keeps connections open would otherwise send a request into one just as it ends, and could not know
whether it was handled. Once all are closed this way, none is open when the process stops. This layer also records how
far each request is, so that none is cut off while it is handled.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.web.site import LateEnv
from vestibule.web.under_way import Stage, UnderWay, peer_of


class Draining:
    """Wraps the application behind the fast path, which leaves these answers to it."""

    def __init__(self, app: ASGIApp, late: LateEnv, under_way: UnderWay) -> None:
        self._app = app
        self._late = late
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, answering = peer_of(scope), False
        at = self._under_way.at

        async def read() -> Message:
            if answering:  # waits for the client to leave
                return await receive()
            at(peer, Stage.READING)
            message = await receive()
            at(peer, Stage.WORKING)
            return message

        async def last(message: Message) -> None:
            nonlocal answering
            # Asked when the answer begins: it may have begun to leave while the request was under way.
            if message["type"] == "http.response.start":
                answering = True
                at(peer, Stage.ANSWERING)
                if self._leaving():
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        at(peer, Stage.WORKING)
        try:
            await self._app(scope, read, last)
        finally:
            self._under_way.over(peer)

    def _leaving(self) -> bool:
        env = self._late.env
        return env is not None and env.readiness.draining
