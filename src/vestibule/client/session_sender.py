"""Send the requests of a session, and repeat those whose responses are lost."""

import ssl
import time
from typing import Any

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import NotReachedError, NotVestibuleError
from vestibule.client.process import PerProcess
from vestibule.client.session_answers import Answer
from vestibule.client.session_requests import answer_to
from vestibule.crypto.entropy import spread
from vestibule.model.clock import Clock
from vestibule.protocol.timeouts import Unbounded

ATTEMPTS = 4  # for each request, the first included
NOT_REACHED = "could not be reached"
_FIRST_PAUSE_SECONDS = 0.2
# `Timeouts` can shut only a connection that its own request opened.
_NO_REUSE = httpx.Limits(max_keepalive_connections=0)


class _TryAgainError(Exception):
    """A response was lost, or the server could not answer. The message says why."""


class Sender:
    """Sends to one Vestibule, with a client for each process: on a shared connection, each could get the other's
    response.
    """

    def __init__(
        self, base: str, ssl_context: ssl.SSLContext | None, transport: httpx.BaseTransport | None, clock: Clock
    ) -> None:
        self._base = base
        self._ssl_context = ssl_context
        self._transport = transport
        self._clock = clock
        self._clients = PerProcess(self._new_client)

    def _new_client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._base,
            headers={"Accept-Encoding": "identity"},
            timeout=wire.TIMEOUT,
            limits=_NO_REUSE,
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
            verify=wire.context_of(self._base, self._ssl_context),
        )

    @property
    def _http(self) -> httpx.Client:
        return self._clients.here()

    def send(self, method: str, path: str, **content: Any) -> Answer:
        """Return the response, retrying lost ones and server errors; raises `NotReachedError`."""
        pause, fault = _FIRST_PAUSE_SECONDS, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(spread(pause))
                pause *= 2
            try:
                return self._send_once(method, path, **content)
            except _TryAgainError as lost:
                fault = str(lost)
        raise NotReachedError(f"{self._http.base_url} {NOT_REACHED}: {fault}")

    def _send_once(self, method: str, path: str, **content: Any) -> Answer:
        try:
            answer = answer_to(self._http, self._clock, method, path, **content)
        except Unbounded as reason:  # not retried: the next attempt would take as long
            raise NotReachedError(f"{self._http.base_url} {reason}; is it a Vestibule?") from None
        except httpx.RequestError as lost:
            setup_fault = reasons.as_setup_fault(lost, self._http.base_url)
            why = str(setup_fault) if isinstance(setup_fault, NotVestibuleError) else reasons.why(lost)
            raise _TryAgainError(why) from None
        self._http.cookies.clear()
        if answer.status_code >= 500:
            raise _TryAgainError(f"{answer.status_code}")
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
