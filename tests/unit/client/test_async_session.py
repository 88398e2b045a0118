"""A session for tasks, bodies that can be sent once, and a machine whose clock is a day ahead or behind."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx
import pytest

from tests.harness.process import PASSWORD, Running, serving_somebody
from tests.harness.servers import WAIT_SECONDS
from tests.unit.client.test_session import EMAIL, REFRESH, Later, Lossy
from vestibule.client import AsyncSession, InMemory, InsufficientAuthenticationError, Session, SignedOutError, Tokens
from vestibule.protocol.authentication import Level

ME = "/api/users/me"
ELSEWHERE = "https://orders.example.com/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving_somebody(tmp_path_factory.mktemp("vestibule"), EMAIL) as running:
        yield running


async def test_tasks_sign_in_ask_and_sign_out(server: Running) -> None:
    async with AsyncSession(server.base) as session:
        await session.sign_in(EMAIL, PASSWORD)
        assert (await session.me())["email"] == EMAIL
        async with httpx.AsyncClient(base_url=server.base, auth=session, timeout=WAIT_SECONDS) as client:
            assert (await client.get(ME)).status_code == 200
        before = await session.fresh()
        assert (await session.fresh(before.access)).access != before.access
        await session.sign_out()
        with pytest.raises(SignedOutError):
            await session.me()


async def test_the_loop_goes_on_while_a_session_waits() -> None:
    go_on = threading.Event()

    def slow(_request: httpx.Request) -> httpx.Response:
        assert go_on.wait(WAIT_SECONDS), "the loop did not go on"
        return httpx.Response(400, stream=httpx.ByteStream(b'{"code":"wrong_credentials","message":"no"}'))

    session = AsyncSession("http://127.0.0.1:1")
    session._session = Session("http://127.0.0.1:1", transport=httpx.MockTransport(slow))
    signing_in = asyncio.create_task(session.sign_in(EMAIL, PASSWORD))
    for _ in range(10):
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(SignedOutError):
        await signing_in


def test_a_client_that_blocks_is_told_to_take_the_other() -> None:
    with (
        httpx.Client(auth=AsyncSession("http://127.0.0.1:1"), timeout=WAIT_SECONDS) as client,
        pytest.raises(TypeError, match="a Session"),
    ):
        client.get(ELSEWHERE)


@pytest.mark.parametrize("days", [1, -1, 400])
def test_a_wrong_clock_of_this_machine_costs_no_refresh(server: Running, days: int) -> None:
    way, clock, store = Lossy(), Later(), InMemory()
    clock.ahead = timedelta(days=days)
    with Session(server.base, store, transport=way, clock=clock) as session:
        session.sign_in(EMAIL, PASSWORD)
        for _ in range(4):
            session.fresh()
        assert way.sent[REFRESH] == 0
        clock.ahead += timedelta(seconds=880)
        tokens = {session.fresh().access for _ in range(4)}
        assert (len(tokens), way.sent[REFRESH]) == (1, 1)


class RefusingOnce(httpx.BaseTransport):
    """A service that refuses the first request, and notes each body. Reads them as a connection does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.bodies.append(b"".join(request.stream))
        return httpx.Response(401 if len(self.bodies) == 1 else 200)


class Refusing(httpx.AsyncBaseTransport):
    """A service that refuses every request."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        assert [piece async for piece in request.stream] == [b"all of it"]
        return httpx.Response(401)


BODIES: dict[str, tuple[dict[str, object], bool]] = {
    "nothing": ({}, True),
    "bytes": ({"content": b"all of it"}, True),
    "JSON": ({"json": {"all": "of it"}}, True),
    "a form with a file": ({"files": {"file": io.BytesIO(b"all of it")}}, True),
    "a stream": ({"content": iter([b"all ", b"of it"])}, False),
    "an open file": ({"content": io.BytesIO(b"all of it")}, False),
}


class Renewed:
    """A session whose refresh is another token, without a server."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.session = Session("http://127.0.0.1:1")
        self.session.fresh = self.fresh  # type: ignore[method-assign]

    def fresh(self, refused: str | None = None) -> Tokens:
        self.asked.append(refused)
        return Tokens("second" if refused else "first", "r", 2**33)


@pytest.mark.parametrize(("body", "repeated"), BODIES.values(), ids=BODIES)
def test_a_401_is_repeated_once_unless_the_body_is_used_up(body: dict[str, object], *, repeated: bool) -> None:
    service, renewed = RefusingOnce(), Renewed()
    with httpx.Client(transport=service, auth=renewed.session) as client:
        answer = client.post(ELSEWHERE, **body)  # type: ignore[arg-type]
    assert answer.status_code == (200 if repeated else 401)
    assert (len(service.bodies), len(set(service.bodies))) == (2 if repeated else 1, 1)
    assert renewed.asked == [None, "first"]  # the next request goes out with the new token


async def test_tasks_that_stream_get_the_401_too() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"all of it"

    renewed = Renewed()
    renewed.session._usable_tokens = lambda _refused=None: Tokens("first", "r", 2**33)  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=Refusing(), auth=renewed.session) as client:
        assert (await client.post(ELSEWHERE, content=pieces())).status_code == 401
    assert renewed.asked == ["first"]


class AskingForMore(httpx.MockTransport):
    """A service behind the kit that wants a second factor, and counts."""

    def __init__(self) -> None:
        super().__init__(self.refuse)
        self.asked = 0

    def refuse(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        refusal = InsufficientAuthenticationError(Level.TWO_FACTORS, 300)
        return httpx.Response(refusal.status, headers=refusal.headers, json=refusal.body)


def test_where_a_second_factor_is_missing_nothing_is_refreshed_and_nothing_repeated() -> None:
    renewed, service = Renewed(), AskingForMore()
    with httpx.Client(transport=service, auth=renewed.session) as client:
        assert client.post(ELSEWHERE).json()["acr_values"] == "urn:vestibule:2"
    assert (service.asked, renewed.asked) == (1, [None])


async def test_nor_is_it_in_tasks() -> None:
    renewed, service = Renewed(), AskingForMore()
    renewed.session._usable_tokens = lambda _refused=None: Tokens("first", "r", 2**33)  # type: ignore[method-assign]
    async with httpx.AsyncClient(transport=service, auth=renewed.session) as client:
        assert (await client.post(ELSEWHERE)).status_code == 401
    assert (service.asked, renewed.asked) == (1, [])
