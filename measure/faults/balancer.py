"""Send requests to the servers as a load balancer does.

It asks the servers in turn, leaves out those whose health check fails, and asks the next one if nobody listens. If a
connection breaks, or no answer comes, the request counts as failed, and is not sent again: it may have been carried
out.
"""

import asyncio
import itertools
import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from measure.faults.ledger import Ledger
from measure.faults.timeline import Request, Timeline
from tests.harness.world import FRONT_END

CLIENT_SECONDS = 10.0
_CHECK_SECONDS = 0.5
_NEVER_RIGHT = {"500", "502", "504"}


class NoAnswer(Exception):
    """No server answered. The message is one word: `refused`, `reset`, `timeout`, or `absent` if a request was for one
    server, and that one does not listen.
    """


class Balancer:
    """Sends requests, and adds each to the timeline and its violations to the ledger."""

    def __init__(self, ports: list[int], timeline: Timeline, ledger: Ledger) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._clients = {
            port: httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Origin": FRONT_END, "User-Agent": "faults"},
                timeout=CLIENT_SECONDS,
                limits=limits,
                # Many people use it, so it keeps no cookie: a sign-in would end the session whose cookie it sends.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
            for port in ports
        }
        self._turn = itertools.cycle(ports)
        self._out: set[int] = set()
        self._timeline = timeline
        self._ledger = ledger

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def check(self) -> None:
        """Leave out servers whose health check fails, until it succeeds again. Runs until it is cancelled."""
        async with httpx.AsyncClient(timeout=1.0) as client:
            while True:
                await asyncio.gather(*(self._check(client, port) for port in self._clients))
                await asyncio.sleep(_CHECK_SECONDS)

    async def _check(self, client: httpx.AsyncClient, port: int) -> None:
        try:
            well = (await client.get(f"http://127.0.0.1:{port}/healthz/ready")).status_code == 200
        except httpx.HTTPError:
            well = False
        (self._out.discard if well else self._out.add)(port)

    async def seen(self, port: int) -> None:
        """Wait until the health check finds this server ready, and requests go to it again."""
        self._out.add(port)
        while port in self._out:
            await asyncio.sleep(_CHECK_SECONDS / 10)

    async def ask(
        self, kind: str, method: str, path: str, good: set[int], port: int | None = None, **request: Any
    ) -> httpx.Response:
        """Send one request, to `port` or to the server whose turn it is, and return its answer; raises `NoAnswer`. The
        statuses in `good` count as success. `kind` names the request in the figures.
        """
        ports, nobody_listens = ([port], "absent") if port else (self._candidates(), "refused")
        begun = time.monotonic()
        try:
            answer = await self._sent(ports, nobody_listens, method, path, request)
        except NoAnswer as fault:
            self._timeline.add(Request(kind, begun, time.monotonic() - begun, str(fault), ok=False))
            raise
        outcome, ok = str(answer.status_code), answer.status_code in good
        self._timeline.add(Request(kind, begun, time.monotonic() - begun, outcome, ok))
        self._judge(kind, answer)
        return answer

    def _candidates(self) -> list[int]:
        order = [next(self._turn) for _ in self._clients]
        return [port for port in order if port not in self._out] or order

    async def _sent(
        self, ports: list[int], fault: str, method: str, path: str, request: dict[str, Any]
    ) -> httpx.Response:
        """Return the answer of the first server that listens. Raises `NoAnswer`, with `fault` if none listens."""
        for port in ports:
            try:
                return await self._clients[port].request(method, path, **request)
            except httpx.ConnectError:
                continue
            except httpx.TimeoutException:
                fault = "timeout"
            except httpx.TransportError:
                fault = "reset"
            break
        raise NoAnswer(fault)

    def _judge(self, kind: str, answer: httpx.Response) -> None:
        status = str(answer.status_code)
        if status in _NEVER_RIGHT:
            self._ledger.violate("I6", f"{kind} was answered {status}: {answer.text[:200]}")
        if status == "503" and "retry-after" not in answer.headers:
            self._ledger.violate("I6", f"{kind} was answered 503 without Retry-After")
