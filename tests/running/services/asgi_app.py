"""An ASGI service that answers who asks. Every answer names the process it comes from, refusals too."""

import os

from tests.running.services.behind import start, verifier
from vestibule.client.asgi import Message, Receive, Scope, Send, VestibuleMiddleware


async def orders(scope: Scope, _receive: Receive, send: Send) -> None:
    content = scope["state"]["caller"].id.encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


guarded = VestibuleMiddleware(orders, verifier)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    async def name_the_process(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"process", str(os.getpid()).encode())]
        await send(message)

    if scope["type"] == "lifespan":
        await live(receive, send)
    else:
        await guarded(scope, receive, name_the_process)


async def live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


start()
