"""O54: the roles of a token, and the signed document of what each role permits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.harness.world import World
from vestibule.crypto import jws
from vestibule.flows.create_account import create_account
from vestibule.flows.custom_roles import create_custom_role, set_role_permissions
from vestibule.flows.feed_services import Heartbeat, answer_poll
from vestibule.flows.follow_roles import reread_roles
from vestibule.flows.service_keys import create_service_key
from vestibule.flows.set_custom_roles import set_custom_roles
from vestibule.model.accounts import Role
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.permissions import OF_ROLE
from vestibule.protocol import access_tokens, permissions
from vestibule.protocol.permissions import PATH, TYP, Permissions
from vestibule.storage.sql.driver import DriverConnection
from vestibule.web.api.services import as_event

pytestmark = pytest.mark.any_engine
ADA = "ada@example.com"


async def somebody(world: World, *roles: str) -> httpx.AsyncClient:
    """Ada, signed in, with these roles, each of which permits to read invoices."""
    account, password = await create_account(world.env, COMMAND_LINE, "Ada", ADA, Role.USER)
    for role in roles:
        await create_custom_role(world.env, COMMAND_LINE, role, ["invoices:read"])
    await set_custom_roles(world.env, COMMAND_LINE, account, roles)
    return await world.sign_in(ADA, password)


def claims_in(world: World, token: str) -> dict[str, Any]:
    return jws.verify(token, world.env.keys.access.checking, access_tokens.TYP)


async def said(world: World, **headers: str) -> tuple[httpx.Response, Permissions]:
    answer = await (await world.client(origin=None)).get(PATH, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer, permissions.read(answer.text, world.env.keys.access.checking, world.env.policy.issuer.expected)


async def heartbeat(world: World) -> Heartbeat:
    beats = [event async for events in answer_poll(world.env) for event in events if isinstance(event, Heartbeat)]
    return beats[-1]


@contextmanager
def statements() -> Iterator[list[str]]:
    ran: list[str] = []

    @contextmanager
    def watch(_dialect: str, sql: str) -> Iterator[None]:
        ran.append(sql)
        yield

    DriverConnection.watchers.append(watch)
    try:
        yield ran
    finally:
        DriverConnection.watchers.remove(watch)


async def test_o54_a_token_names_the_roles_and_those_of_others_stay_as_they_were(world: World) -> None:
    """O54: at sign-in and at a refresh; introspection tells the same."""
    client = await somebody(world, "editor", "billing")
    service = await world.client(origin=None)
    service.headers["Authorization"] = f"Bearer {await create_service_key(world.env, 'orders')}"
    for _ in range(2):
        token = client.cookies["access_token"]
        assert claims_in(world, token)["roles"] == ["billing", "editor"]
        told = (await service.post("/api/auth/introspect", data={"token": token})).json()
        assert (told["role"], told["roles"]) == ("user", ["billing", "editor"])
        world.clock.advance(seconds=1)
        assert (await client.post("/api/auth/refresh")).status_code == 200
    await world.register("grace@example.com")
    other = (await world.sign_in("grace@example.com")).cookies["access_token"]
    assert "roles" not in claims_in(world, other)
    assert "roles" not in (await service.post("/api/auth/introspect", data={"token": other})).json()


async def test_o54_the_document_says_what_each_role_permits(world: World) -> None:
    await somebody(world, "billing")
    answer, document = await said(world)
    assert document.roles["billing"] == {"invoices:read"}
    assert {name: document.roles[name] for name in Role} == OF_ROLE
    assert jws.unverified_claims(answer.text, TYP)["iss"] == "vestibule"
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        "application/jwt",
        "public, max-age=10",
    )


async def test_o54_who_has_the_current_document_gets_no_other(world: World) -> None:
    """O54: whichever process signed it."""
    await somebody(world, "billing")
    answer, document = await said(world)
    client = await world.client(origin=None)
    etag = answer.headers["ETag"]
    for asked in (etag, f'"other", {etag}'):
        again = await client.get(PATH, headers={"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    await set_role_permissions(world.env, COMMAND_LINE, "billing", ["invoices:write"])
    await reread_roles(world.env, world.env.store)
    changed, new = await said(world, **{"If-None-Match": etag})
    assert changed.headers["ETag"] != etag
    assert (new.roles["billing"], new.version != document.version) == ({"invoices:write"}, True)


async def test_o54_strangers_cost_no_statement_and_no_signature(world: World) -> None:
    first, _ = await said(world)
    signed = world.env.roles.signed
    with statements() as ran:
        for _ in range(5):
            answer, _ = await said(world)
            assert answer.text == first.text
    assert ran == []
    assert world.env.roles.signed is signed, "the same text may have been signed again"


async def test_o54_a_process_that_could_not_read_the_roles_reads_them_before_it_publishes(world: World) -> None:
    await said(world)
    await create_custom_role(world.env, COMMAND_LINE, "billing", ["invoices:read"])
    _, document = await said(world)
    assert "billing" not in document.roles
    world.clock.advance(seconds=world.env.policy.revocation_staleness.total_seconds() + 1)
    _, document = await said(world)
    assert "billing" in document.roles


async def test_o54_no_token_is_taken_for_the_document_nor_the_other_way_round(world: World) -> None:
    client = await somebody(world, "billing")
    answer, _ = await said(world)
    keys, expected = world.env.keys.access.checking, world.env.policy.issuer.expected
    with pytest.raises(jws.InvalidToken):
        permissions.read(client.cookies["access_token"], keys, expected)
    with pytest.raises(jws.InvalidToken):
        access_tokens.read(answer.text, keys, expected, world.clock.now().timestamp())


async def test_o54_the_feed_lists_the_version_once_it_is_known(world: World) -> None:
    assert (await heartbeat(world)).permissions is None
    await reread_roles(world.env, world.env.store)
    beat, (_, document) = await heartbeat(world), await said(world)
    data = json.loads(as_event(beat).partition("data: ")[2])
    assert data["permissions"] == document.version
    assert data["permissions_at"] == pytest.approx(world.clock.monotonic(), abs=1)
