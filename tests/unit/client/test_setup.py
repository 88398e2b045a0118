"""A wrong key or a wrong URL is told at once and by its name; an outage is not taken for either."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.harness.clock import ManualClock
from tests.harness.http_server import handled_by
from tests.harness.servers import WAIT_SECONDS, free_port
from tests.unit.client.knowing import Knowing
from vestibule.client import CannotTellError, NotReachedError, Verifier, WrongSetupError, following, memory_updater
from vestibule.client.setup import FEED, KEYS, Setup
from vestibule.client.throttled_warnings import ThrottledWarnings

AT_ONCE_SECONDS = WAIT_SECONDS
"""Far below what the first checks wait in an outage, which is made longer here, for a busy machine."""

Answer = tuple[int, dict[str, str], bytes]
WRONG: dict[str, tuple[Answer, str]] = {
    "a key that is not in force": ((401, {}, b"{}"), "service key"),
    "a key that something in front refuses": ((403, {}, b""), "service key"),
    "another program": ((404, {}, b"not here"), "answers 404"),
    "another host's name": ((421, {}, b""), "answers 421"),
    "a redirect": ((308, {"Location": "https://elsewhere.example/"}, b""), "redirects are not followed"),
    "a page": ((200, {"Content-Type": "text/html"}, b"<html>welcome</html>"), "does not answer"),
    "JSON of another kind": ((200, {"Content-Type": "application/json"}, b'{"keys": 7}'), "check the url"),
}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what waits in an outage wait for minutes."""
    for module in (following, memory_updater):
        monkeypatch.setattr(module, "START_SECONDS", 10 * WAIT_SECONDS)
    monkeypatch.setattr(following, "_LEARN_SECONDS", 10 * WAIT_SECONDS)


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server that answers everything alike; its URL."""
    status, headers, body = answer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    with handled_by(Handler) as url:
        yield url


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("answer", "named"), WRONG.values(), ids=WRONG)
def test_k5_it_does_not_start_and_says_what_is_wrong(answer: Answer, named: str) -> None:
    with answering(answer) as url:
        raised_at_once(Verifier(url, "vsk_x").start, named)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("answer", "named"), WRONG.values(), ids=WRONG)
def test_k5_a_check_does_not_wait_for_what_will_not_come(
    answer: Answer, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(answer) as url:
        check = Verifier(url, "vsk_x")
        begun = time.monotonic()
        try:
            with pytest.raises(WrongSetupError) as refused:
                check.check(Knowing().token())
        finally:
            check.close()
    assert time.monotonic() - begun < AT_ONCE_SECONDS
    assert named in refused.value.fault
    assert refused.value.status == 503
    assert named not in str(refused.value.body)
    assert [record.levelname for record in caplog.records if named in record.getMessage()][:1] == ["ERROR"]
    assert "vsk_x" not in caplog.text


@pytest.mark.usefixtures("patient")
def test_k5_a_name_that_leads_nowhere_and_a_port_without_tls_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as offline:
        # As a resolver says it; a machine without one would have it wait.
        offline.setattr("socket.getaddrinfo", unknown_name)
        raised_at_once(Verifier("https://vestibule.invalid", "vsk_x").start, "vestibule.invalid leads nowhere")
    with answering((200, {}, b"")) as url:
        raised_at_once(Verifier(url.replace("http:", "https:"), "vsk_x").start, "does not speak TLS")


def unknown_name(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def raised_at_once(start: Callable[[], Any], named: str) -> None:
    begun = time.monotonic()
    with pytest.raises(NotReachedError, match=named):
        start()
    assert time.monotonic() - begun < AT_ONCE_SECONDS


@pytest.mark.parametrize("key", ["", "secret", "vsk_", "vsk_a b", "vsk_a\nb", "https://auth.example.com"])
def test_k5_what_is_no_service_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="service_key is not one") as wrong:
        Verifier("https://auth.example.com", key)
    assert len(key) <= len("vsk_") or key not in str(wrong.value)
    with pytest.raises(ValueError, match="changed places") as wrong:
        Verifier("vsk_hush", "https://auth.example.com")
    assert "hush" not in str(wrong.value)


def test_the_values_that_tests_take_are_said_by_the_refusals_of_others() -> None:
    with pytest.raises(ValueError, match="in tests, vsk_test is enough"):
        Verifier("https://vestibule.test", "test")
    with pytest.raises(ValueError, match=r"use https \(also in tests\)"):
        Verifier("http://vestibule.test", "vsk_test")
    Verifier("https://vestibule.test", "vsk_test").close()


def test_white_space_around_a_key_is_not_part_of_it() -> None:
    assert Verifier("https://auth.example.com", " vsk_x\n")._here()._options.service_key == "vsk_x"


def test_an_outage_is_none_of_these_and_the_service_starts() -> None:
    check = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x")
    with check, pytest.raises(CannotTellError) as refused:
        check.check(Knowing().token())
    assert type(refused.value) is CannotTellError
    with answering((503, {}, b"")) as url, Verifier(url, "vsk_x"):
        pass


def test_an_outage_is_logged_with_the_url_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """Each once a minute, though it fails and comes back all the time."""
    made = Setup(ThrottledWarnings(ManualClock()), "http://localhost:9")
    made.note_fetched(FEED)
    for _ in range(3):
        made.note_failed(FEED, ConnectionRefusedError())
        made.note_fetched(FEED)
    made.note_failed(KEYS, ConnectionRefusedError())
    made.note_fetched(KEYS)
    assert [record.getMessage() for record in caplog.records] == [
        f"{FEED} could not be fetched from http://localhost:9: ConnectionRefusedError",
        f"{FEED} is fetched again",
        f"{KEYS} could not be fetched from http://localhost:9: ConnectionRefusedError",
        f"{KEYS} are fetched again",
    ]
