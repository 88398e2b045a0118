"""A person's session, in programs: one refresh for everybody who waits, lost answers survived, tokens kept well."""

import asyncio
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.harness.process import PASSWORD, Running, serving_somebody
from tests.harness.servers import WAIT_SECONDS
from vestibule.client import InFile, InMemory, NotReachedError, NotStoredError, Session, SignedOutError
from vestibule.client.session_sender import ATTEMPTS
from vestibule.model.clock import SystemClock

EMAIL = "ada@example.com"
REFRESH = "/api/auth/refresh"


class Later(SystemClock):
    """The machine's clock, moved ahead, so that every access token is at its end."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + self.ahead


class Lossy(httpx.HTTPTransport):
    """A way that counts, and loses the answers to a number of refreshes after the server has given them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()
        self.to_lose = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent[request.url.path] += 1
        answer = super().handle_request(request)
        if request.url.path == REFRESH and self.to_lose:
            self.to_lose -= 1
            answer.read()
            raise httpx.ReadTimeout("lost on its way", request=request)
        return answer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving_somebody(tmp_path_factory.mktemp("vestibule"), EMAIL) as running:
        yield running


class SignedInSession:
    """A session, and the strings to pull."""

    def __init__(self, server: Running) -> None:
        self.way, self.clock, self.store = Lossy(), Later(), InMemory()
        self.session = Session(server.base, self.store, transport=self.way, clock=self.clock)
        self.session.sign_in(EMAIL, PASSWORD)


@pytest.fixture
def signed_in(server: Running) -> Iterator[SignedInSession]:
    made = SignedInSession(server)
    yield made
    made.session.close()


def test_k33_no_token_is_logged_at_any_level(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    """K33: httpcore logs the headers of answers, and those of a sign-in and a refresh set cookies."""
    caplog.set_level("DEBUG")
    store, clock = InMemory(), Later()
    with Session(server.base, store, clock=clock) as session:
        session.sign_in(EMAIL, PASSWORD)
        first = store.load()
        clock.ahead = timedelta(hours=1)
        second = session.fresh()
        session.sign_out()
    httpx.get(f"{server.base}/healthz/live", timeout=WAIT_SECONDS)
    assert first
    assert first != second
    assert "receive_response_headers" in caplog.text, "the service's own requests are logged as ever"
    for tokens in (first, second):
        assert tokens.access not in caplog.text
        assert tokens.refresh not in caplog.text


def test_it_signs_in_tells_who_and_signs_out(signed_in: SignedInSession) -> None:
    tokens = signed_in.store.load()
    assert tokens is not None
    assert signed_in.session.me()["email"] == EMAIL
    assert tokens.access not in repr(tokens)
    signed_in.session.sign_out()
    with pytest.raises(SignedOutError) as nobody:
        signed_in.session.me()
    assert nobody.value.code == "not_signed_in"


def test_wrong_credentials_are_said_and_not_tried_again(server: Running) -> None:
    way = Lossy()
    session = Session(server.base, transport=way)
    with pytest.raises(SignedOutError) as refused:
        session.sign_in(EMAIL, "wrong horse")
    assert (refused.value.code, way.sent.total()) == ("wrong_credentials", 1)
    session.close()


def test_threads_that_find_the_token_at_its_end_refresh_once(signed_in: SignedInSession) -> None:
    before = signed_in.store.load()
    signed_in.clock.ahead = timedelta(seconds=880)
    barrier = threading.Barrier(16)

    def refreshed(_: int) -> str:
        barrier.wait()
        return signed_in.session.fresh(before.access if before else "").access

    with ThreadPoolExecutor(16) as threads:
        signed_in.clock.ahead = timedelta()
        tokens = set(threads.map(refreshed, range(16)))
    assert len(tokens) == 1
    assert signed_in.way.sent[REFRESH] == 1


async def test_tasks_refresh_once_and_the_request_goes_through(server: Running, signed_in: SignedInSession) -> None:
    signed_in.clock.ahead = timedelta(seconds=880)
    tokens = signed_in.store.load()
    assert tokens is not None
    async with httpx.AsyncClient(base_url=server.base, auth=signed_in.session, timeout=WAIT_SECONDS) as client:
        signed_in.clock.ahead = timedelta()
        signed_in.store.save(type(tokens)("no.good.token", tokens.refresh, tokens.expires_at))
        answers = await asyncio.gather(*(client.get("/api/users/me") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert signed_in.way.sent[REFRESH] == 1


def test_it_is_an_auth_for_a_client_that_does_not_wait(server: Running, signed_in: SignedInSession) -> None:
    with httpx.Client(base_url=server.base, auth=signed_in.session, timeout=WAIT_SECONDS) as client:
        assert client.get("/api/users/me").status_code == 200


@pytest.mark.parametrize("lost", [1, ATTEMPTS - 1])
def test_lost_answers_sign_nobody_out(signed_in: SignedInSession, lost: int) -> None:
    before = signed_in.store.load()
    assert before is not None
    signed_in.way.to_lose = lost
    after = signed_in.session.fresh(before.access)
    assert after.refresh != before.refresh
    assert signed_in.way.sent[REFRESH] == lost + 1
    assert signed_in.session.me()["email"] == EMAIL


def test_when_every_answer_is_lost_the_tokens_are_kept_for_later(signed_in: SignedInSession) -> None:
    before = signed_in.store.load()
    assert before is not None
    signed_in.way.to_lose = ATTEMPTS
    with pytest.raises(NotReachedError):
        signed_in.session.fresh(before.access)
    assert signed_in.store.load() == before
    assert signed_in.session.fresh(before.access).access != before.access


def test_a_session_that_was_ended_elsewhere_is_said_and_its_tokens_are_dropped(signed_in: SignedInSession) -> None:
    tokens = signed_in.store.load()
    assert tokens is not None
    signed_in.session.sign_out()
    signed_in.store.save(tokens)
    with pytest.raises(SignedOutError) as over:
        signed_in.session.fresh(tokens.access)
    assert over.value.code == "session_signed_out"
    assert signed_in.store.load() is None


def test_a_file_is_for_its_owner_and_survives_the_process(tmp_path: Path, signed_in: SignedInSession) -> None:
    tokens = signed_in.store.load()
    assert tokens is not None
    store = InFile(tmp_path / "folder" / "session.json")
    assert store.load() is None
    store.save(tokens)
    assert InFile(tmp_path / "folder" / "session.json").load() == tokens
    assert stat.S_IMODE((tmp_path / "folder" / "session.json").stat().st_mode) == 0o600
    (tmp_path / "folder" / "session.json").write_text("{torn")
    assert store.load() is None
    store.clear()
    store.clear()
    assert list((tmp_path / "folder").iterdir()) == []


class Full(InMemory):
    """A place where nothing can be kept."""

    def save(self, tokens: object) -> None:
        raise OSError(28, "No space left on device")


def test_c21_a_session_that_cannot_be_kept_does_not_go_on(server: Running) -> None:
    way = Lossy()
    session = Session(server.base, Full(), transport=way)
    with pytest.raises(OSError, match="No space left"):
        session.sign_in(EMAIL, PASSWORD)
    assert way.sent["/api/auth/logout"] == 1
    session.close()


def test_c21_a_place_is_tried_out_without_a_trace(tmp_path: Path) -> None:
    InFile(tmp_path / "new" / "tokens.json").try_out()
    assert not list((tmp_path / "new").iterdir())
    for wrong in (Path("/dev/null/x/tokens.json"), tmp_path / "new"):
        with pytest.raises(NotStoredError, match="directory"):
            InFile(wrong).try_out()
