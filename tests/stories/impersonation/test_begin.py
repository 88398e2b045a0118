"""O60: who may act as whom, what the token says, and what stays as it was."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.harness.backends import Backend
from tests.harness.world import POLICY, World, world_on
from tests.stories.impersonation import (
    EMAIL,
    REASON,
    account_of,
    acting_as,
    acting_as_ada,
    begin,
    code_of_me,
    events_of,
    with_token,
)
from tests.stories.operators.people import operator_in
from vestibule.crypto import jws
from vestibule.flows.administer import disable_account
from vestibule.model.accounts import MAX_REASON_CHARACTERS, Role
from vestibule.model.events import EventKind
from vestibule.model.impersonation import LIFETIME, MOST_AT_ONCE, Impersonation
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.protocol.access_tokens import TYP
from vestibule.storage.sql.schema import known_devices, login_attempts, sessions

REASONS = {
    "none": "",
    "only spaces": "  ",
    "too long": "x" * (MAX_REASON_CHARACTERS + 1),
    "NUL": "a\0b",
    "ESC": "a\x1b[2Jb",
}
REASONS |= {"a line break": "a\nb", "another direction": "a\u202eb", "a line separator": "a\u2028b"}


async def test_o60_an_operator_acts_as_somebody_and_the_token_says_so(world: World) -> None:
    acting = await acting_as_ada(world)
    claims = jws.unverified_claims(acting.token, TYP)
    operator = acting.operator.account
    assert (claims["sub"], claims["sid"], claims["act"]) == (acting.person.id, acting.session_id, {"sub": operator.id})
    assert (claims["role"], claims["acr"], claims["amr"], claims["auth_time"]) == ("user", "urn:vestibule:1", [], 0)
    assert claims["exp"] - claims["iat"] == LIFETIME.total_seconds()
    data = (await acting.client.get("/api/users/me")).json()["data"]
    assert (data["user"]["email"], data["actor"]) == (EMAIL, {"id": operator.id})


async def test_o60_what_everybody_else_is_answered_is_unchanged(world: World) -> None:
    acting = await acting_as_ada(world)
    own = await (await world.sign_in()).get("/api/users/me")
    assert list(own.json()["data"]) == ["user"]
    theirs = await acting.client.get("/api/users/me")
    assert own.text.strip().removesuffix("}}") == theirs.text.strip().partition(',"actor"')[0]


async def test_o60_the_reason_is_kept_with_both_ids(world: World) -> None:
    acting = await acting_as_ada(world)
    begun = [event for event in await events_of(world, acting.person) if event.kind is EventKind.ACTING_BEGUN]
    told = [(event.session_id, event.actor_id, event.detail["reason"]) for event in begun]
    assert told == [(acting.session_id, acting.operator.account.id, REASON["reason"])]


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
async def test_o60_without_a_reason_of_one_line_nobody_acts(world: World, reason: str) -> None:
    await world.register(EMAIL)
    operator, ada = await operator_in(world, Role.ADMIN), await account_of(world)
    refused = await operator.client.post(f"/api/admin/people/{ada.id}/impersonate", json={"reason": reason})
    assert (refused.status_code, refused.json()["code"]) == (400, "body_invalid")
    assert [event for event in await events_of(world, ada) if event.kind is EventKind.ACTING_BEGUN] == []


async def test_o60_it_ends_after_half_an_hour_and_cannot_be_prolonged(world: World) -> None:
    acting = await acting_as_ada(world)
    world.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert await code_of_me(acting.client) == ""
    assert (await acting.client.post("/api/auth/refresh")).json()["code"] == "refresh_refused"
    world.clock.advance(seconds=1 + POLICY.issuer.leeway.total_seconds())
    assert await code_of_me(acting.client) == "access_token_invalid"


async def test_o60_it_ends_with_the_operators_own_session_at_the_latest(backend: Backend) -> None:
    limits = replace(POLICY.sessions, idle=timedelta(minutes=12))
    async with world_on(backend, replace(POLICY, sessions=limits)) as world:
        claims = jws.unverified_claims((await acting_as_ada(world)).token, TYP)
        assert claims["exp"] - claims["iat"] == limits.idle.total_seconds()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.HELPER, Role.AUDITOR])
async def test_o60_nobody_acts_as_an_operator(world: World, role: Role) -> None:
    other = await operator_in(world, role)
    refused = await begin(await operator_in(world, Role.ADMIN), other.account)
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot_be_acted_as")


async def test_o60_nobody_acts_as_themselves_as_a_disabled_account_or_as_nobody(world: World) -> None:
    await world.register(EMAIL)
    operator, ada = await operator_in(world, Role.ADMIN), await account_of(world)
    assert (await begin(operator, operator.account)).json()["code"] == "cannot_be_acted_as"
    assert (await begin(operator, replace(ada, id="0" * 36))).json()["code"] == "person_unknown"
    await disable_account(world.env, COMMAND_LINE, ada)
    assert (await begin(operator, ada)).json()["code"] == "cannot_be_acted_as"


@pytest.mark.parametrize("role", [Role.HELPER, Role.AUDITOR, Role.USER])
async def test_o60_only_who_has_the_permission_acts(world: World, role: Role) -> None:
    await world.register(EMAIL)
    refused = await begin(await operator_in(world, role), await account_of(world))
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")


async def test_o60_an_access_token_alone_begins_nothing(world: World) -> None:
    """Services get access tokens of operators too."""
    await world.register(EMAIL)
    operator, ada = await operator_in(world, Role.ADMIN), await account_of(world)
    token = operator.client.headers["Cookie"].partition("; ")[0].removeprefix("access_token=")
    refused = await (await with_token(world, token)).post(f"/api/admin/people/{ada.id}/impersonate", json=REASON)
    assert refused.json()["code"] == "refresh_token_required"


async def test_o60_it_is_never_nested(world: World) -> None:
    acting = await acting_as_ada(world)
    await world.register("grace@example.com")
    grace = await account_of(world, "grace@example.com")
    refused = await acting.client.post(f"/api/admin/people/{grace.id}/impersonate", json=REASON)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_while_acting")


async def test_o60_more_than_a_few_end_the_oldest(world: World) -> None:
    operator, all_of_them = await operator_in(world, Role.ADMIN), []
    for number in range(MOST_AT_ONCE + 2):
        await world.register(f"{number}@example.com")
        all_of_them.append(await acting_as(world, await account_of(world, f"{number}@example.com"), operator))
        world.clock.advance(seconds=1)
    ended = [await code_of_me(acting.client) for acting in all_of_them]
    assert ended == ["session_acting_ended"] * 2 + [""] * MOST_AT_ONCE
    assert await code_of_me(operator.client) == ""


async def test_o60_it_is_no_sign_in_of_the_person(world: World) -> None:
    """Known devices, attempt counters, sessions, sign-ins and other letters stay as they were."""
    await world.register(EMAIL)
    browser, ada = await world.sign_in(), await account_of(world)
    before = await _rows_of(world, ada.id)
    sent = len(world.mailer.messages)
    await acting_as(world, ada)
    await world.deliver()
    assert await _rows_of(world, ada.id) == before
    assert [event.kind for event in await events_of(world, ada)][-1] is EventKind.ACTING_BEGUN
    assert EventKind.SIGNED_IN not in [event.kind for event in await events_of(world, ada)][2:]
    assert len(world.mailer.messages) == sent, "unverified, so not told either"
    assert await code_of_me(browser) == ""


async def _rows_of(world: World, account_id: str) -> list[list[tuple[object, ...]]]:
    async with world.engines.sqlalchemy_reading() as connection:
        devices = await connection.execute(select(known_devices).where(known_devices.c.account_id == account_id))
        attempts = await connection.execute(select(login_attempts))
        own = (sessions.c.account_id == account_id) & sessions.c.actor_id.is_(None)
        return [
            [tuple(row) for row in rows]
            for rows in (devices, attempts, await connection.execute(select(sessions).where(own)))
        ]


async def test_o60_it_takes_no_place_among_the_owners_sessions(backend: Backend) -> None:
    limits = replace(POLICY.sessions, for_account=2)
    async with world_on(backend, replace(POLICY, sessions=limits)) as world:
        await world.register(EMAIL)
        first, ada = await world.sign_in(), await account_of(world)
        acting = [await acting_as(world, ada), await acting_as(world, ada)]
        world.clock.advance(seconds=1)
        second = await world.sign_in()
        assert [await code_of_me(client) for client in (first, second)] == ["", ""]
        world.clock.advance(seconds=1)
        third = await world.sign_in()
        over = [await code_of_me(client) for client in (first, second, third)]
        assert over == ["session_too_many_sessions", "", ""]
        assert [await code_of_me(each.client) for each in acting] == ["", ""], "nor does it end for a sign-in"


@pytest.fixture(params=list(Impersonation))
async def by_setting(request: pytest.FixtureRequest, backend: Backend) -> AsyncIterator[World]:
    async with world_on(backend, replace(POLICY, impersonation=request.param)) as world:
        yield world


async def test_o61_the_owner_is_told_unless_a_setting_says_otherwise(by_setting: World) -> None:
    world, setting = by_setting, by_setting.env.policy.impersonation
    await world.register(EMAIL)
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    operator = await operator_in(world, Role.ADMIN)
    begun = await begin(operator, await account_of(world))
    await world.deliver()
    told = [
        message for message in world.mailer.messages if "an administrator signed in as you" in str(message["Subject"])
    ]
    assert (begun.status_code, len(told)) == {"told": (201, 1), "untold": (201, 0), "off": (404, 0)}[setting]
    for message in told:
        assert message["To"] == EMAIL
        assert operator.account.email not in message.as_string()
        assert REASON["reason"] not in message.as_string()


async def test_o61_the_owner_sees_it_and_ends_it(world: World) -> None:
    acting, owner = await acting_as_ada(world), await world.sign_in()
    listed = (await owner.get("/api/users/me/sessions")).json()["data"]["sessions"]
    theirs = [session for session in listed if session["id"] == acting.session_id]
    assert [(session["byOperator"], session["device"], session["address"]) for session in theirs] == [(True, "", "")]
    assert [session for session in listed if "byOperator" in session] == theirs
    page = (await owner.get("/profile/security")).text
    assert "An administrator" in page
    assert acting.operator.account.id not in page + json.dumps(listed)
    assert (await owner.delete(f"/api/users/me/sessions/{acting.session_id}")).status_code == 200
    assert await code_of_me(acting.client) == "session_signed_out_elsewhere"


@pytest.mark.parametrize("name", ["%00", "a%00b", "nobody", "%F0%9F%92%A9", "0" * 4000])
async def test_o60_an_id_that_is_none_names_nobody(world: World, name: str) -> None:
    """Also one that PostgreSQL could not store."""
    operator = await operator_in(world, Role.ADMIN)
    refused = await operator.client.post(f"/api/admin/people/{name}/impersonate", json=REASON)
    assert (refused.status_code, refused.json()["code"]) == (404, "person_unknown")
