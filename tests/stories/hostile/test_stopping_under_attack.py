"""SIGTERM while strangers hold every connection: it ends in seconds, and who is owed an answer gets it."""

import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from tests.harness.process import PASSWORD, given_keys, register, serving
from tests.harness.servers import wait_until
from vestibule.web import connections
from vestibule.web.connections import Connection
from vestibule.web.in_flight import Stage

MOST = 256
HALF_A_HEAD = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nX: "
HALF_A_BODY = (
    HALF_A_HEAD.replace(b"GET /healthz/live", b"POST /api/auth/login")[:-3]
    + b"Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
)
ENOUGH_TO_READ = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
"""More answers than the buffers of the system hold."""


class Holders:
    """Strangers that hold more connections than there are, and come again for each that is cut."""

    def __init__(self, port: int, first: bytes, then: bytes) -> None:
        self._port, self._first, self._then = port, first, then
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _hold(self) -> None:
        with ExitStack() as stack:
            alive = [self._new(stack) for _ in range(MOST + MOST // 4)]
            while not self._over.wait(0.2):
                for number, each in enumerate(alive):
                    try:
                        each.send(self._then)
                    except BlockingIOError:
                        continue
                    except OSError:
                        each.close()
                        alive[number] = self._new(stack)

    def _new(self, stack: ExitStack) -> socket.socket:
        one = stack.enter_context(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(0.05)
        try:
            one.connect(("127.0.0.1", self._port))
            one.send(self._first)
        except OSError:
            pass  # said again, or cut, at the next turn
        one.setblocking(False)
        return one


@pytest.mark.parametrize(
    ("first", "then"),
    [(b"G", b""), (HALF_A_HEAD, b"a"), (HALF_A_BODY, b" "), (ENOUGH_TO_READ, ENOUGH_TO_READ)],
    ids=["silent", "a head without an end", "a body without an end", "who reads no answer"],
)
def test_n10_who_holds_the_connections_does_not_hold_the_process(tmp_path: Path, first: bytes, then: bytes) -> None:
    given = {**given_keys(), "VESTIBULE_CONNECTIONS": str(MOST)}
    with serving(tmp_path, **given) as server, Holders(server.port, first, then):
        wait_until(lambda: "connections_shed" in server.output, "its being crowded")
        assert server.stop() == 0
        assert "Killing" not in server.output, "a worker is killed after thirty seconds"


@pytest.mark.parametrize(("host", "client"), [("127.0.0.1", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1")])
def test_n10_who_sends_nothing_whole_is_cut_before_who_sends_a_body(tmp_path: Path, host: str, client: str) -> None:
    """N10: and the body is still answered, though the worker was told to stop again and again meanwhile."""
    with (
        serving(tmp_path, **given_keys(), VESTIBULE_HOST=host) as server,
        server.browser() as browser,
        ExitStack() as s,
    ):
        register(browser, "ada@example.com")
        body = json.dumps({"email": "ada@example.com", "password": PASSWORD}).encode()
        head = HALF_A_BODY[:-3].replace(b"900", str(len(body)).encode()) + b"Expect: 100-continue\r\n\r\n"
        asking, dripping = (s.enter_context(socket.create_connection((client, server.port), 60)) for _ in range(2))
        dripping.sendall(HALF_A_HEAD)
        asking.sendall(head + body[:10])
        assert asking.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it knows of the body by then
        server.process.send_signal(signal.SIGTERM)
        assert cut_off(dripping)
        asking.sendall(body[10:])
        answer = asking.makefile("rb").readline()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert server.process.wait(60) == 0
        assert "Killing" not in server.output


def cut_off(connection: socket.socket) -> bool:
    """Wait until it ends without an answer; by a reset, where what was sent had not been read (RFC 9293, 3.10.4)."""
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def an_open() -> Iterator[Callable[[Stage | None, float], Connection]]:
    with ExitStack() as stack:
        yield lambda stage, silent: Connection(stack.enter_context(socket.socket()), "192.0.2.1", True, silent, stage)


@pytest.mark.parametrize(
    ("stage", "idle_seconds", "waited_for", "no_longer"),
    [
        (None, 0.0, 0.9, 1.0),
        (None, 60.0, 0.9, 1.0),
        (Stage.READING, 60.0, 4.9, 5.0),
        (Stage.ANSWERING, 1.9, 9.9, 10.0),
        (Stage.ANSWERING, 2.0, None, 0.0),
        (Stage.WORKING, 600.0, 29.0, None),
    ],
)
def test_n10_how_long_each_is_waited_for(
    an_open: Callable[[Stage | None, float], Connection],
    stage: Stage | None,
    idle_seconds: float,
    waited_for: float | None,
    no_longer: float | None,
) -> None:
    one = an_open(stage, idle_seconds)
    if waited_for is not None:
        assert list(connections._lingering([one], waited_for)) == []
    if no_longer is not None:
        assert list(connections._lingering([one], no_longer)) == [one]
