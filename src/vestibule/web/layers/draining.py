"""Close each connection with its last answer while a process is draining (RFC 9112, section 9.6).

A load balancer keeps connections open. Without this layer, it could send a request just as the process closes the
connection, and could not know whether the request was handled. With it, no connection is open when the process stops.
This layer also records the stage of each request, so that none is cut while it is handled.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.web.site import EnvHolder
from vestibule.web.under_way import Stage, UnderWay, peer_of


class Draining:
    """Wraps the application, inside the fast path, which passes every request on to this layer while draining."""

    def __init__(self, app: ASGIApp, env_holder: EnvHolder, under_way: UnderWay) -> None:
        self._app = app
        self._env_holder = env_holder
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, answering = peer_of(scope), False
        at = self._under_way.at

        async def read() -> Message:
            if answering:  # the application now only waits for the client to disconnect
                return await receive()
            at(peer, Stage.READING)
            message = await receive()
            at(peer, Stage.WORKING)
            return message

        async def send_and_record(message: Message) -> None:
            nonlocal answering
            # Checked when the answer begins: draining may have begun while the request was handled.
            if message["type"] == "http.response.start":
                answering = True
                at(peer, Stage.ANSWERING)
                if self._is_draining():
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        at(peer, Stage.WORKING)
        try:
            await self._app(scope, read, send_and_record)
        finally:
            self._under_way.over(peer)

    def _is_draining(self) -> bool:
        env = self._env_holder.env
        return env is not None and env.readiness.draining
