"""Handlers for services behind Vestibule: the feed of revocations, and introspection. See docs/protocol/README.md."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vestibule.flows.env import Env
from vestibule.flows.feed_services import FeedEvent, Heartbeat, Hello, answer_poll, feed_service
from vestibule.flows.introspect import introspect
from vestibule.model.revocations import Notice, RevocationKind
from vestibule.protocol.tasks import mark_retrieved
from vestibule.web.api import service_answers
from vestibule.web.asking_service import AskingService
from vestibule.web.caller import EnvDep
from vestibule.web.errors import Json
from vestibule.web.pages.form import read_form
from vestibule.web.request_errors import NonceInvalid

PROTOCOL = 1
"""The version of the feed, which its first event names (docs/protocol/README.md)."""
SEND_SECONDS = 10
"""A client that reads nothing for this long is considered gone."""

_NONCE = re.compile(r"[A-Za-z0-9_-]{0,64}")


async def stream_revocations(
    env: EnvDep, service: AskingService, after: str = "", poll: str = "", nonce: str = ""
) -> Response:
    """Stream what is revoked, as server-sent events. `after` is the cursor of the last heartbeat; without a cursor, or
    with one that is unknown here, everything that is revoked now is sent first. With `poll=1` the answer ends after its
    first heartbeat. `nonce`, at most 64 letters, digits, `-` and `_`, is sent back in the first event, so that a
    service can tell this answer from one that a cache has kept.
    """
    if not _NONCE.fullmatch(nonce):
        raise NonceInvalid
    if poll != "1":
        return FeedResponse(env, service.digest, after, nonce)
    env.feed.polls.count(service.digest, env.clock.monotonic())  # raises `TooManyPolls`
    return PollResponse(env, after, nonce)


async def introspect_token(request: Request, env: EnvDep) -> Response:
    """Say whether an access token is valid now, and for whom (RFC 7662). The form has one field, `token`."""
    token = await introspect(env, (await read_form(request)).get("token", ""))
    answer = service_answers.Introspection.of(token, env.policy.issuer)
    return Json(answer.model_dump(mode="json", exclude_none=True))


class EventsResponse(Response):
    """A response of server-sent events, which `_send_events` sends until the client leaves. HEAD gets no events."""

    media_type = "text/event-stream"

    def __init__(self, env: Env, cursor: str, nonce: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})  # nginx: do not buffer it
        del self.headers["content-length"]  # Starlette has set it to 0
        self._env = env
        self._cursor = cursor
        self._nonce = nonce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await self._begin(send, more=False)
            return
        with contextlib.suppress(TimeoutError, OSError):
            await self._send_events(receive, send)

    async def _send_events(self, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    async def _begin(self, send: Send, *, more: bool = True) -> None:
        """Send the headers at once, before there is an event. `more`: events follow."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"", "more_body": more})

    async def _send_all(self, send: Send, batches: AsyncIterator[list[FeedEvent]]) -> None:
        async for batch in batches:
            body = "".join(as_event(event, self._nonce) for event in batch).encode()
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class PollResponse(EventsResponse):
    """A response that ends after its first heartbeat, for `poll=1`."""

    async def _send_events(self, receive: Receive, send: Send) -> None:
        with _departure(receive) as departure:
            await self._begin(send)
            await self._send_all(send, answer_poll(self._env, self._cursor, departure.done))


class FeedResponse(EventsResponse):
    """A response that ends when the service disconnects, is too slow or loses its key, or when this process stops."""

    def __init__(self, env: Env, key_digest: str, cursor: str, nonce: str) -> None:
        super().__init__(env, cursor, nonce)
        self._key_digest = key_digest

    async def _send_events(self, receive: Receive, send: Send) -> None:
        with self._env.feed.following(self._key_digest) as follower, _departure(receive) as departure:
            departure.add_done_callback(lambda _: follower.end())
            await self._begin(send)
            await self._send_all(send, feed_service(self._env, follower, self._cursor))


def as_event(event: FeedEvent, nonce: str = "") -> str:
    """Return the text of one server-sent event (HTML Standard, section 9.2). The greeting echoes the nonce."""
    if isinstance(event, Hello):
        start = "whole" if event.whole else "tail"
        expected = {"issuer": event.issuer, "audience": event.audience} if event.issuer else {}
        echo = {"nonce": nonce} if nonce else {}
        return _event("hello", {"protocol": PROTOCOL, "now": round(event.now, 3), "start": start, **expected, **echo})
    if isinstance(event, Heartbeat):
        clock = {"clock": round(event.clock, 3)} if event.clock is not None else {}
        keys_at = {"keys_at": round(event.keys_at, 3)} if event.keys_at is not None else {}
        keys = {"keys": event.keys, **keys_at} if event.keys else {}
        data = {"true_at": round(event.true_at, 3), **clock, **keys, **_permissions(event)}
        return f"id: {event.cursor}\n" + _event("heartbeat", data)
    return _event("revoked", _grouped(event))


def _permissions(beat: Heartbeat) -> dict[str, Any]:
    if beat.permissions is None:
        return {}
    version, known_at = beat.permissions
    return {"permissions": version, "permissions_at": round(known_at, 3)}


def _grouped(notices: list[Notice]) -> dict[str, Any]:
    """Return the data of the event `revoked`: for each session, how many seconds to remember it; for each account, also
    the time before which its tokens are revoked.
    """
    sessions = {notice.subject: notice.seconds for notice in notices if notice.kind is RevocationKind.SESSION}
    accounts = {
        notice.subject: [notice.not_before, notice.seconds]
        for notice in notices
        if notice.kind is RevocationKind.ACCOUNT
    }
    groups: dict[str, Any] = {"sessions": sessions, "accounts": accounts}
    return {name: members for name, members in groups.items() if members}


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


@contextlib.contextmanager
def _departure(receive: Receive) -> Iterator[asyncio.Task[None]]:
    """Yield a task that is done once the client has closed the connection. The task is cancelled at the end of the
    block.
    """
    departure = asyncio.create_task(_disconnected(receive))
    departure.add_done_callback(mark_retrieved)
    try:
        yield departure
    finally:
        departure.cancel()


async def _disconnected(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
