"""The layer that closes each connection after its answer while the process is draining (RFC 9112, section 9.6).

A load balancer keeps connections open. Without this layer, a load balancer could send a request just as the process
closes the connection, and could not know whether the request was handled. With this layer, no connection is open when
the process stops. The layer also records the stage of each request (`in_flight`), so that `connections` cuts
no request that is being handled.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vestibule.web.in_flight import InFlight, Stage, peer_of
from vestibule.web.site import EnvHolder


class Draining:
    """Wraps the application. The fast path is around this layer, and passes every request on to it while draining."""

    def __init__(self, app: ASGIApp, env_holder: EnvHolder, in_flight: InFlight) -> None:
        self._app = app
        self._env_holder = env_holder
        self._in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, answering = peer_of(scope), False
        record = self._in_flight.record

        async def read() -> Message:
            if answering:  # the application now only waits for the client to disconnect
                return await receive()
            record(peer, Stage.READING)
            message = await receive()
            record(peer, Stage.WORKING)
            return message

        async def send_and_record(message: Message) -> None:
            nonlocal answering
            # Checked when the answer begins: draining may have begun while the request was handled.
            if message["type"] == "http.response.start":
                answering = True
                record(peer, Stage.ANSWERING)
                if self._is_draining():
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        record(peer, Stage.WORKING)
        try:
            await self._app(scope, read, send_and_record)
        finally:
            self._in_flight.finish(peer)

    def _is_draining(self) -> bool:
        env = self._env_holder.env
        return env is not None and env.readiness.draining
