"""Requests as no library would send them, to a real server: refused, cut off, and never taken for two."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.process import Running, given_keys, register, serving, sign_in
from tests.harness.servers import WAIT_SECONDS

HOST = b"Host: localhost\r\n"
GET = b"GET /api/healthchecker HTTP/1.1\r\n" + HOST
POST = b"POST /api/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /api/users/me HTTP/1.1\r\n" + HOST + b"\r\n"
# A good body, so that only the way it is framed can be refused.
ASK = b"POST /api/auth/forgotpassword HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
IN_CHUNKS = b'\r\n1c\r\n{"email": "ada@example.com"}\r\n0\r\n\r\n' + SMUGGLED
CHUNKED_ALONE = {
    "chunks": ASK + CHUNKED + IN_CHUNKS,
    "chunks, in capitals": ASK + b"Transfer-Encoding: CHUNKED\r\n" + IN_CHUNKS,
    "a length, and chunks": ASK + b"Content-Length: 28\r\n" + CHUNKED + IN_CHUNKS,
    "chunks, and a length": ASK + CHUNKED + b"Content-Length: 28\r\n" + IN_CHUNKS,
    "chunks, and no length": ASK + CHUNKED + b"Content-Length: 0\r\n" + IN_CHUNKS,
}
CODED = [
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: xchunked, chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: , chunked\r\n",
    b"Transfer-Encoding:\r\n" + CHUNKED,
    b"Transfer-Encoding: identity\r\n" + CHUNKED,
    b"Transfer-Encoding: gzip\r\n" + CHUNKED,
    CHUNKED * 2,
]
AMBIGUOUS = {
    **{f"coded {each!r}": ASK + each + IN_CHUNKS for each in CODED},
    "coded, to a page": (ASK + CODED[0] + IN_CHUNKS).replace(b"/api/auth/forgotpassword", b"/forgotpassword"),
    "coded, and a length": ASK + b"Content-Length: 28\r\n" + CODED[0] + IN_CHUNKS,
    "coded, where nothing is read": GET + CODED[0] + IN_CHUNKS,
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + SMUGGLED,
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}" + SMUGGLED,
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED,
    "a bad chunk": POST + CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "a folded header": GET + b"X-A: 1\r\n 2\r\n\r\n",
    "a space before the colon": GET + b"Content-Length : 2\r\n\r\n{}",
    "NUL in a header": GET + b"X-A: a\0b\r\n\r\n",
    "NUL in the path": GET.replace(b"checker", b"che\0cker") + b"\r\n",
    "a bare CR": GET + b"X-A: a\rb\r\n\r\n",
}
TOO_MUCH = {
    "headers beyond 100": (GET + b"".join(b"X-%d: 1\r\n" % i for i in range(101)) + b"\r\n", b"431"),
    "headers beyond 16 kB": (GET + b"X-A: " + b"a" * 16_384 + b"\r\n\r\n", b"431"),
    "a body beyond its limit": (POST + b"Content-Length: 70000\r\n\r\n" + b" " * 70_000, b"413"),
    "chunks beyond its limit": (POST + CHUNKED + b"\r\n" + b"4000\r\n%b\r\n" % (b" " * 0x4000) * 5, b"413"),
}
STALLS = {
    "in the head": b"GET /api/health",
    "before the end of the head": GET,
    "in the body": POST + b"Content-Length: 50\r\n\r\n{",
    "in a chunk": POST + CHUNKED + b"\r\n20\r\n{",
}
CONNECTIONS = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("server"), **given_keys()) as running:
        yield running


def answers(server: Running, sent: bytes, seconds: float = WAIT_SECONDS) -> tuple[bytes, bool]:
    """All that comes back, and whether the server closed the connection within these seconds."""
    came = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        try:
            connection.sendall(sent)
            while piece := connection.recv(65_536):
                came += piece
        except TimeoutError:
            return came, False
        except (ConnectionResetError, BrokenPipeError):
            pass
    return came, True


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_h4_what_two_programs_could_read_in_two_ways_is_refused_and_ends_the_connection(
    server: Running, sent: bytes
) -> None:
    came, closed = answers(server, sent)
    assert came.startswith(b"HTTP/1.1 400 ")
    assert came.count(b"HTTP/1.") == 1, "what was smuggled has been answered"
    assert closed


@pytest.mark.parametrize("sent", CHUNKED_ALONE.values(), ids=CHUNKED_ALONE)
def test_h4_after_chunks_the_connection_ends_so_that_nothing_is_smuggled_behind_them(
    server: Running, sent: bytes
) -> None:
    """H4: the HTTP library reads the chunks and drops a length beside them, unseen by us (RFC 9112, section 6.1)."""
    came, closed = answers(server, sent)
    assert came.startswith(b"HTTP/1.1 200 ")
    assert came.count(b"HTTP/1.") == 1, "what was smuggled has been answered"
    assert closed


def test_h4_a_signed_in_caller_s_chunks_end_the_connection_too(server: Running) -> None:
    """H4: the answer from memory is no way around it."""
    with server.browser() as browser:
        register(browser, "chunks@example.com")
        sign_in(browser, "chunks@example.com")
        assert browser.get("/api/users/me").status_code == 200
        bearer = b"Authorization: Bearer " + browser.cookies["access_token"].encode() + b"\r\n"
    me = b"GET /api/users/me HTTP/1.1\r\n" + HOST + bearer
    for framing, status in ((CHUNKED, b"200"), (CODED[0], b"400")):
        came, closed = answers(server, me + framing + IN_CHUNKS)
        assert came.startswith(b"HTTP/1.1 " + status)
        assert (came.count(b"HTTP/1."), closed) == (1, True)


def test_h4_equal_lengths_are_one_length(server: Running) -> None:
    """H4: RFC 9110, section 8.6, leaves it to the server; nobody can read them in two ways."""
    lengths = b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
    last = SMUGGLED.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n"
    came, _ = answers(server, POST + lengths + last)
    assert [came.count(b"HTTP/1.1 400 "), came.count(b"HTTP/1.1 401 ")] == [1, 1], "two requests, two answers"


@pytest.mark.parametrize(("sent", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_h1_too_much_is_refused_while_it_comes(server: Running, sent: bytes, status: bytes) -> None:
    came, closed = answers(server, sent)
    assert came.startswith(b"HTTP/1.1 " + status)
    assert closed


@pytest.fixture(scope="module")
def stalled(server: Running) -> dict[str, tuple[bytes, bool, float]]:
    """What became of each request that stalls, all of them at once, and after how many seconds."""

    def wait(sent: bytes) -> tuple[bytes, bool, float]:
        began = time.monotonic()
        came, closed = answers(server, sent, seconds=120)
        return came, closed, time.monotonic() - began

    with ThreadPoolExecutor(len(STALLS)) as at_once:
        return dict(zip(STALLS, at_once.map(wait, STALLS.values()), strict=True))


@pytest.mark.parametrize("where", STALLS)
def test_h1_a_request_that_does_not_come_to_its_end_is_cut_off_after_ten_seconds(
    stalled: dict[str, tuple[bytes, bool, float]], where: str
) -> None:
    came, closed, seconds = stalled[where]
    assert closed
    assert seconds > 9
    assert not came or came.startswith(b"HTTP/1.1 4")


def test_h2_a_thousand_stalled_connections_keep_nobody_out_and_are_cut_off(server: Running) -> None:
    """H2: others are served meanwhile. How fast is measured by the benchmark."""
    stalled = [socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) for _ in range(CONNECTIONS)]
    try:
        for connection in stalled:
            connection.sendall(GET + b"X-A: ")
        with server.browser() as browser:
            served = [browser.get("/api/healthchecker").status_code for _ in range(50)]
        assert served == [200] * 50
        still_open = [connection for connection in stalled if not _is_closed(connection)]
        assert still_open == []
    finally:
        for connection in stalled:
            connection.close()
    assert server.ask("GET", "/api/healthchecker").status_code == 200


def _is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(1024):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("target", [b"localhost:22", b"127.0.0.1:443", b"[::1]:80"])
def test_a_request_that_names_no_path_is_told_so(server: Running, target: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS) as wire:
        wire.sendall(b"CONNECT " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"has no path" in answer
