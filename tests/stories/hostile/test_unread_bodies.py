"""An answer that comes before the body was read: the connection goes on, or the answer says that it ends."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPResponse
from itertools import product

import pytest

from tests.harness.process import Running, given_keys, register, serving, sign_in
from tests.harness.servers import WAIT_SECONDS
from vestibule.web.body import MAX_BODY_BYTES
from vestibule.web.layers.unread_body import MOST_READ_BYTES, MOST_READ_SECONDS
from vestibule.web.map_reading import PAGES, ROUTES

LINES = sorted({(line.method, line.path.replace("{", "").replace("}", "")) for line in (*ROUTES, *PAGES)})
LENGTHS = (1_000, MAX_BODY_BYTES + 1, MOST_READ_BYTES, MOST_READ_BYTES + 1)
JSON = "Content-Type: application/json\r\n"
WAYS = {
    "plain": "",
    "json": JSON,
    "encoded": JSON + "Content-Encoding: gzip\r\n",
    "another site": JSON + "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
    "no token": JSON + "Authorization: Bearer x\r\n",
}
REFUSALS = {400, 401, 403, 404, 405, 413, 415, 429}
AFTER = b"GET /api/healthchecker HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, VESTIBULE_SIGN_INS_PER_NETWORK="30", **given_keys()) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: Running) -> str:
    """Of somebody who is signed in; made before the network is used up."""
    with server.browser() as browser:
        register(browser, "ada@example.com")
        sign_in(browser, "ada@example.com")
        return browser.cookies["access_token"]


def connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)


def head(method: str, path: str, length: int, more: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def answer(connection: socket.socket, method: str) -> tuple[int, bool]:
    """The status of the answer, and whether it says that the connection ends."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    response.read()
    return response.status, response.getheader("connection", "").lower() == "close"


def goes_on(connection: socket.socket) -> bool:
    """Whether another request on the connection is answered. The server may close it a moment later."""
    try:
        time.sleep(0.001)
        connection.sendall(AFTER)
        return answer(connection, "GET")[0] == 200
    except (OSError, ConnectionError, ValueError):
        return False


def test_h22_no_line_ends_a_connection_without_a_word(token: str, server: Running) -> None:
    """H22: each line of the map, and paths and methods that are none, with bodies of each size, refused in each way."""
    lines = [*LINES, ("POST", "/api/nothing"), ("PUT", "/login"), ("DELETE", "/api/auth/login"), ("POST", "/")]
    silent, statuses = list[tuple[object, ...]](), Counter[int]()
    for number, ((method, path), way) in enumerate(product(lines, WAYS)):
        length = LENGTHS[number % len(LENGTHS)]
        with connected(server) as connection:
            connection.sendall(head(method, path, length, WAYS[way]) + b" " * length)
            try:
                status, said = answer(connection, method)
            except ConnectionResetError:  # of a body that is too long the server reads nothing
                assert length > MOST_READ_BYTES
                continue
            statuses[status] += 1
            if not said and not goes_on(connection):
                silent.append((method, path, way, length, status))
    assert statuses.keys() >= REFUSALS, statuses
    assert not silent, silent[:10]


@pytest.mark.parametrize("length", LENGTHS[:3])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/users/me", "/api/auth/login"])
def test_h22_a_body_that_can_be_read_costs_no_connection(server: Running, path: str, length: int) -> None:
    with connected(server) as connection:
        for _ in range(3):
            connection.sendall(head("POST", path, length, JSON + "Content-Encoding: gzip\r\n") + b" " * length)
            status, said = answer(connection, "POST")
            assert (status >= 400, said) == (True, False)


@pytest.mark.parametrize("length", [50, MOST_READ_BYTES, MOST_READ_BYTES + 1, 10**15])
def test_h22_a_slow_body_is_not_waited_for(server: Running, length: int) -> None:
    """H22: the answer says that the connection ends, after a second at most."""
    began = time.monotonic()
    with connected(server) as connection:
        connection.sendall(head("POST", "/api/nothing", length, "") + b" " * 10)
        assert answer(connection, "POST") == (404, True)
        assert connection.recv(1) == b"", "and it does"
    assert time.monotonic() - began < MOST_READ_SECONDS + WAIT_SECONDS / 2


def test_h22_a_client_that_waits_to_be_asked_is_not_asked(server: Running) -> None:
    """H22: RFC 9110, section 10.1.1: the refusal comes instead of "100 Continue"."""
    with connected(server) as connection:
        connection.sendall(head("POST", "/api/nothing", 5_000, "Expect: 100-continue\r\n"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404 ")


def test_h22_a_get_of_the_fast_path_with_a_body_ends_nothing_silently(server: Running, token: str) -> None:
    """H22: with a token that is right, which the layer outside of all others would answer."""
    with connected(server) as connection:
        for _ in range(3):
            bearer = f"Authorization: Bearer {token}\r\n"
            connection.sendall(head("GET", "/api/users/me", 60_000, bearer) + b" " * 60_000)
            assert answer(connection, "GET") == (200, False)
