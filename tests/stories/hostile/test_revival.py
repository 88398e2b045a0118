"""What has ended stays ended: no token, no id and no session comes back, however it is written and whatever comes next.

T9, T10, O4, S11 are about the same promise from four sides.
"""

import base64
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from tests.harness.world import World
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.delete_account import delete_account
from vestibule.flows.find_people import find_account
from vestibule.model.events import Event, EventFilter, EventKind
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.revocations import Revocation, RevocationKind
from vestibule.storage.sql.schema import accounts, sessions

EMAIL, PASSWORD, NEW = "ada@example.com", "correct horse", "battery staple"
EVERYWHERE = ("/api/users/me", "/api/auth/verify", "/api/users/me/sessions")
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def statuses(world: World, token: str) -> set[int]:
    client = await world.client()
    return {(await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code for path in EVERYWHERE}


def rewritten(token: str) -> list[str]:
    """The same signature in other letters: the bits that base64 leaves over, padding, white space (RFC 4648, 3.5)."""
    last = B64.index(token[-1])
    return [f"{token[:-1]}{B64[(last & ~3) + spare]}" for spare in range(4)] + [f"{token}=", f"{token}==", f"{token}\n"]


async def test_t9_a_log_out_refuses_every_token_of_the_session_in_whatever_letters(world: World) -> None:
    """T9: by the session's id, and never by the token's text."""
    await world.register()
    client = await world.sign_in()
    tokens = [client.cookies["access_token"]]
    for _ in range(3):
        world.clock.advance(seconds=1)
        await client.post("/api/auth/refresh")
        tokens.append(client.cookies["access_token"])
    assert await statuses(world, tokens[0]) <= {200, 204}
    await client.post("/api/auth/logout")
    for token in tokens:
        for form in (token, *rewritten(token)):
            if not form.endswith("\n"):
                assert await statuses(world, form) == {401}
    payload = base64.urlsafe_b64decode(tokens[0].split(".")[1] + "==")
    assert b'"sid"' in payload


async def test_t10_an_account_that_is_shut_is_refused_at_once_with_tokens_that_are_still_good(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    token = client.cookies["access_token"]
    assert await statuses(world, token) <= {200, 204}, "it is remembered as good now"
    account = await find_account(world.env, EMAIL)
    assert account is not None
    await disable_account(world.env, COMMAND_LINE, account)
    assert await statuses(world, token) == {401}
    assert (await client.get("/profile", headers={"Origin": ""})).headers["location"].startswith("/signedout")
    assert (await client.post("/api/auth/refresh")).status_code == 403
    await enable_account(world.env, COMMAND_LINE, account)
    assert await statuses(world, token) == {401}, "opening it again brings nothing back"


async def test_o4_no_session_survives_a_reset_and_none_revives_at_the_next_sign_in(world: World) -> None:
    await world.register()
    before = [await world.sign_in() for _ in range(3)]
    tokens = [(client.cookies["access_token"], client.cookies["refresh_token"]) for client in before]
    client = await world.client()
    await client.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await client.patch(path, json={"password": NEW, "passwordConfirm": NEW})).status_code == 200
    await world.sign_in(EMAIL, NEW)
    for access, refresh in tokens:
        assert await statuses(world, access) == {401}
        answer = await (await world.client()).post("/api/auth/refresh", headers={"Cookie": f"refresh_token={refresh}"})
        assert answer.status_code == 403


async def test_s11_a_deleted_account_s_tokens_are_nobody_s_when_the_email_is_registered_again(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    access, first = client.cookies["access_token"], await _account(world)
    found = await find_account(world.env, EMAIL)
    assert found is not None
    await delete_account(world.env, COMMAND_LINE, found)
    world.clock.advance(seconds=1)
    await world.register()
    await world.sign_in()
    assert await _account(world) != first
    assert await statuses(world, access) == {401}
    assert (await client.post("/api/auth/refresh")).status_code == 403


async def test_s11_numbers_go_on_where_everything_old_was_deleted(world: World) -> None:
    """S11: a sequence that began anew would hide a revocation from a process that has read that far."""
    now = world.clock.now()
    notice = Revocation(now, RevocationKind.SESSION, "s", now + timedelta(hours=1))
    seen: list[list[int]] = []
    for _ in range(3):
        async with world.env.store.transaction() as tx:
            (written,) = await tx.revocations.append([notice])
            await tx.events.record(Event(now, EventKind.SIGNED_IN))
            event = (await tx.events.find(EventFilter(), 1))[0][0]
        seen.append([written.sequence, event])
        world.clock.advance(days=900)
        async with world.env.store.transaction() as tx:
            await tx.revocations.purge(world.clock.now(), 100)
            await tx.events.purge(world.clock.now(), 100)
    assert seen[0][0] < seen[1][0] < seen[2][0]
    assert seen[0][1] < seen[1][1] < seen[2][1]


async def test_s11_ids_are_drawn_from_more_than_can_be_met_twice(world: World) -> None:
    await world.register()
    for _ in range(20):
        await world.sign_in()
    async with world.engines.sqlalchemy_reading() as connection:
        ids = list((await connection.execute(select(sessions.c.id))).scalars())
    assert len(set(ids)) == 20
    assert {len(each.replace("-", "")) for each in ids} == {32}, "128 bits, 122 of them by lot (RFC 9562, section 5.4)"


async def _account(world: World) -> str:
    async with world.engines.sqlalchemy_reading() as connection:
        return str((await connection.execute(select(accounts.c.id))).scalar_one())


@pytest.mark.parametrize("what", ["cookie", "bearer"])
async def test_o5_a_log_out_ends_one_device_and_no_other(world: World, what: str) -> None:
    """O5: each device has a session of its own."""
    await world.register()
    one, other = await world.sign_in(), await world.sign_in()
    if what == "bearer":
        bearer = {"Authorization": f"Bearer {one.cookies['access_token']}"}
        done: httpx.Response = await (await world.client()).post("/api/auth/logout", headers=bearer)
    else:
        done = await one.post("/api/auth/logout")
    assert done.status_code == 200
    assert (await other.get("/api/users/me")).status_code == 200
