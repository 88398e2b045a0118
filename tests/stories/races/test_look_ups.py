"""Many who are not remembered yet: one look-up for each session, and nobody hears what was read before a notice.

PostgreSQL alone: in SQLite there is no crowd that waits for connections.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.world import World, world_on
from tests.stories.races.people import people
from vestibule.crypto.entropy import new_id
from vestibule.flows.follow_revocations import read_new_backlog
from vestibule.model import access_tokens
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import Session
from vestibule.model.store import Ports
from vestibule.protocol.access_tokens import AccessToken
from vestibule.settings.fields import Settings

CALLERS, TOKENS = 1_100, 40
VERIFY = "/api/auth/verify"
_HANGS_SECONDS = 30  # ten times what an answer takes: one who waits for the answer held back would wait for ever
Answer = asyncio.Task[httpx.Response]


class LookUps:
    """The reads of a world's store: how many, and the first of them held back once it has read."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.held = 0, False
        self.has_read, self.may_go_on = asyncio.Event(), asyncio.Event()
        self._reading = world.env.store.reading
        monkeypatch.setattr(world.env.store, "reading", self._counted)

    @contextmanager
    def first_one_held(self) -> Iterator[None]:
        """Hold back the next read inside the block, until its end at most."""
        self.held = True
        try:
            yield
        finally:
            self.may_go_on.set()

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[Ports]:
        self.count += 1
        async with self._reading() as read:
            yield read
            if self.held:
                self.held = False
                self.has_read.set()
                await self.may_go_on.wait()


def token_of(world: World, session: Session) -> str:
    """An access token of a session, as a sign-in would have issued it."""
    now = int(world.clock.now().timestamp())
    token = AccessToken(new_id(), session.account_id, session.id, "user", now, now + 900)
    return access_tokens.sign(token, world.env.policy.issuer, world.env.keys.access)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_crowd_makes_one_look_up_and_one_check_for_each_token(
    postgresql: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Settings.model_fields["database_pool"].default
    async with world_on(postgresql, pool_size=pool) as world:
        sessions = [person.sessions[0] for person in await people(world, [False] * TOKENS)]
        tokens = [token_of(world, session) for session in sessions]
        checks, read = Counter[str](), access_tokens.read
        monkeypatch.setattr(access_tokens, "read", lambda text, *rest: (checks.update([text]), read(text, *rest))[1])
        look_ups, client = LookUps(world, monkeypatch), await world.client()
        asked = (client.get("/api/users/me", headers=bearer(tokens[at % TOKENS])) for at in range(CALLERS))
        answers = await asyncio.gather(*asked)
    assert Counter(answer.status_code for answer in answers) == {200: CALLERS}
    whose = [answer.json()["data"]["user"]["id"] for answer in answers]
    assert whose == [sessions[at % TOKENS].account_id for at in range(CALLERS)]
    assert (look_ups.count, checks) == (TOKENS, dict.fromkeys(tokens, 1))
    assert len(world.env.look_ups) == 0


@asynccontextmanager
async def two_processes(postgresql: Backend) -> AsyncIterator[tuple[World, World]]:
    """One that looks up, and another one where people act."""
    async with world_on(postgresql) as here, world_on(postgresql) as there:
        await there.register()
        yield here, there


async def _asked(world: World, token: str) -> Answer:
    client = await world.client()
    return asyncio.create_task(client.get(VERIFY, headers=bearer(token)))


async def test_a_log_out_between_two_callers_is_seen_by_the_second(
    postgresql: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_processes(postgresql) as (here, there):
        client = await there.sign_in()
        token, look_ups = client.cookies["access_token"], LookUps(here, monkeypatch)
        with look_ups.first_one_held():
            first = await _asked(here, token)
            await look_ups.has_read.wait()
            assert (await client.post("/api/auth/logout")).status_code == 200
            await read_new_backlog(here.env)
            second = await asyncio.wait_for(await _asked(here, token), _HANGS_SECONDS)
        assert second.json()["code"] == "session_signed_out", "it was read after the notice"
        assert (await first).status_code == 401


async def test_what_changed_between_two_callers_is_seen_by_the_second(
    postgresql: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_processes(postgresql) as (here, there):
        token, look_ups = (await there.sign_in()).cookies["access_token"], LookUps(here, monkeypatch)
        with look_ups.first_one_held():
            first = await _asked(here, token)
            await look_ups.has_read.wait()
            link = f"/api/auth/verifyemail/{there.secret(LetterKind.VERIFY_EMAIL)}"
            assert (await (await there.client()).get(link)).status_code == 200
            await read_new_backlog(here.env)
            second = await asyncio.wait_for(await _asked(here, token), _HANGS_SECONDS)
        assert second.headers["vestibule-email-verified"] == "true"
        assert (await first).headers["vestibule-email-verified"] == "false", "who asked before the notice"
        third = await (await _asked(here, token))
        assert third.headers["vestibule-email-verified"] == "true", "what was read before is not remembered"


async def test_while_revocations_are_not_trusted_nobody_shares(
    postgresql: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_processes(postgresql) as (here, there):
        client = await there.sign_in()
        token, look_ups = client.cookies["access_token"], LookUps(here, monkeypatch)
        here.clock.advance(seconds=5.1)
        with look_ups.first_one_held():
            first = await _asked(here, token)
            await look_ups.has_read.wait()
            assert (await client.post("/api/auth/logout")).status_code == 200
            second = await asyncio.wait_for(await _asked(here, token), _HANGS_SECONDS)
        assert second.json()["code"] == "session_signed_out", "nobody has told of it, and it is known all the same"
        assert (await first).status_code == 204, "who asked before the log-out"


async def test_who_gives_up_takes_the_answer_from_nobody(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_processes(postgresql) as (here, there):
        token, look_ups = (await there.sign_in()).cookies["access_token"], LookUps(here, monkeypatch)
        with look_ups.first_one_held():
            first, second = await _asked(here, token), await _asked(here, token)
            await look_ups.has_read.wait()
            first.cancel()
            await asyncio.wait({first})
        assert first.cancelled()
        assert (await second).status_code == 204
        assert look_ups.count == 1
