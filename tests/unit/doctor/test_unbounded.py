"""C14: a server that answers without end, a byte at a time, too deeply or with nonsense holds no command up: `doctor
--url`, and those of a person.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.harness.clock import ManualClock
from tests.unit.doctor.conftest import Chosen
from vestibule.client import NotReachedError, Session, SignedOutError, wire
from vestibule.doctor import outside
from vestibule.model.findings import Severity
from vestibule.protocol import timeouts

OK = b"HTTP/1.1 200 OK\r\nDate: never\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SIGN = threading.Event()  # which nobody gives: a pause
FOREVER = [
    (CHUNKED, b"10000\r\n" + b"a" * 65_536 + b"\r\n", 0.0),  # a body without end
    (OK + b"\r\n", b"a" * 65_536, 0.0),  # and without a length
    (CHUNKED, b"1\r\na\r\n", 0.02),  # a byte at a time
    (OK + b"\r\n", b"a", 0.02),
    (OK, b"X", 0.02),  # a head a byte at a time
    (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02),  # heads without end
    (b"", b"H", 0.02),
]
DEEP = b'{"a":' * 40_000
NONSENSE = [DEEP, b"null", b"[]", b'{"status":"success"}', b'{"data":{"user":7}}', b"\xff", b"9" * 5_000]


@contextmanager
def answering(head: bytes, again: bytes, pause: float | None) -> Iterator[str]:
    """The base of a server that says `head`, and then `again` for ever, or once where there is no pause."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(head + again)
            while pause is not None:
                SIGN.wait(pause)
                connection.sendall(again)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (wire, timeouts):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 0.4)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("head", "again", "pause"), FOREVER)
def test_c14_an_answer_without_end_ends(head: bytes, again: bytes, pause: float, chosen: Chosen) -> None:
    with answering(head, again, pause) as base:
        assert [finding.severity for finding in outside.check(chosen(), ManualClock(), base)] == [Severity.FAULT]
        with pytest.raises(NotReachedError, match=r"answers more than|has not finished its answer"):
            Session(base).sign_in("ada@example.com", "correct horse")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_not_reached_is_not_taken_for_a_slow_one(
    chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting may take longer than an answer: here nobody takes part in the TLS handshake."""
    monkeypatch.setattr(outside, "_TIMEOUT_SECONDS", 0.8)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        (finding,) = outside.check(chosen(), ManualClock(), url)
    assert finding.what == f"{url} does not answer: no answer in time"


def test_c14_more_than_256_kb_is_not_read() -> None:
    assert (timeouts.MAX_ANSWER_BYTES, timeouts.ANSWER_SECONDS) == (256_000, 5.0)
    with timeouts.Timeouts(timeouts.ANSWER_SECONDS) as waiting:
        assert len(waiting.read_whole([b"a" * 255_999, b"a"])) == 256_000
        with pytest.raises(timeouts.Unbounded, match="answers more than 256000 bytes"):
            waiting.read_whole([b"a" * 256_000, b"a"])


@pytest.mark.parametrize("content", NONSENSE)
def test_c14_nonsense_is_told_as_such(content: bytes, chosen: Chosen) -> None:
    head = OK + b"Content-Length: %d\r\nContent-Encoding: gzip\r\n" % len(content)
    cookies = b"".join(b"Set-Cookie: %s=e30.eyJleHAiOjk5OTk5OTk5OTl9.x\r\n" % name for name in COOKIES)
    with answering(head + cookies + b"\r\n", content, None) as base:
        assert Severity.FAULT in [finding.severity for finding in outside.check(chosen(), ManualClock(), base)]
        session = Session(base)
        session.sign_in("ada@example.com", "correct horse")
        with pytest.raises(NotReachedError):
            session.me()
    refusal = head.replace(b"200 OK", b"400 Bad")
    with answering(refusal + b"\r\n", content, None) as base, pytest.raises((NotReachedError, SignedOutError)):
        Session(base).sign_in("ada@example.com", "correct horse")


COOKIES = (b"access_token", b"refresh_token")


@pytest.mark.parametrize("token", [b"e30.eyJleHAiOjk5OTk5OTk5OTl9.\x1b[2J", b"e30.eyJleHAiOjk5OTk5OTk5OTl9.\x9b2J"])
def test_c14_a_token_that_is_printed_is_one(token: bytes) -> None:
    cookies = b"".join(b"Set-Cookie: %s=%s\r\n" % (name, token) for name in COOKIES)
    with answering(OK + cookies + b"Content-Length: 2\r\n\r\n", b"{}", None) as base, pytest.raises(NotReachedError):
        Session(base).sign_in("ada@example.com", "correct horse")
