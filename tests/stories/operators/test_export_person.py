"""O76: an operator exports a person: the owner's own file, without a secret, recorded before it is read."""

import json

import pytest

from tests.harness import dump
from tests.harness.world import World
from tests.stories.factors.apps import PASSWORD, enrolled
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_installation_pages import last_event
from tests.stories.operators.test_person_page import ada_of
from vestibule.crypto.entropy import new_id
from vestibule.flows.administer import sign_out_everywhere
from vestibule.flows.data_as_json import data_as_json
from vestibule.flows.export_person import export_person
from vestibule.flows.watch_events import find_events
from vestibule.model.accounts import Role
from vestibule.model.errors import SessionOver
from vestibule.model.events import EventFilter, EventKind
from vestibule.model.operators import COMMAND_LINE, Operator

pytestmark = pytest.mark.any_engine
API, PAGE = "/api/admin/people", "/admin/people"
MEMBERS = ["account", "factors", "live", "past", "events"]


async def exports_of(world: World) -> int:
    return len(await find_events(world.env, EventFilter(kinds=(EventKind.DATA_EXPORTED,)), 10))


async def test_o76_each_face_gives_the_file_of_the_owner_and_records_who_took_it(world: World) -> None:
    await world.register()
    owner, admin, ada = await world.sign_in(), await operator_in(world, Role.ADMIN), await ada_of(world)
    mine = (await owner.get("/profile/data")).json()
    by_api = await admin.client.post(f"{API}/{ada.id}/export")
    assert (by_api.status_code, by_api.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert by_api.headers["content-disposition"] == f'attachment; filename="{ada.id}.json"'
    told = await last_event(world, EventKind.DATA_EXPORTED)
    assert (told.account_id, told.actor_id, told.detail["by"]) == (ada.id, admin.account.id, "operator")
    assert "Export the data" in (await admin.client.get(f"{PAGE}/{ada.id}")).text
    assert "Give it to nobody but them." in (await admin.client.get(f"{PAGE}/{ada.id}/export")).text
    by_console = await admin.client.post(f"{PAGE}/{ada.id}/export", data=admin.form)
    by_command = "".join([part async for part in data_as_json(await export_person(world.env, COMMAND_LINE, ada))])
    for number, file in enumerate((by_api.json(), by_console.json(), json.loads(by_command)), 1):
        assert list(file) == MEMBERS
        assert {name: file[name] for name in MEMBERS[:4]} == {name: mine[name] for name in MEMBERS[:4]}
        kinds = [event["kind"] for event in file["events"]]
        assert kinds[:number] == ["data_exported"] * number
        assert (admin.account.id in str(file), admin.account.email in str(file)) == (False, False)
    assert "Data exported by an administrator" in (await owner.get("/profile/security")).text


async def test_o76_no_secret_that_is_stored_is_in_the_file(world: World) -> None:
    """O76: neither a hash, a sealed secret or a digest, nor what the person typed."""
    _, app, codes = await enrolled(world)
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    file = (await admin.client.post(f"{API}/{ada.id}/export")).text
    stored = await dump.tables(world)
    (hashed,) = [row for row in stored["accounts"] if ada.id in row]
    secrets = [value for value in hashed if isinstance(value, str) and value.startswith("$argon2id$")]
    kept = [str(value) for table in ("totps", "recovery_codes") for row in stored[table] for value in row]
    digests = [value for value in kept if len(value) > 40]
    assert secrets
    assert digests
    for secret in (*secrets, *digests, app.totp.secret, *codes, PASSWORD):
        assert secret not in file


async def test_o76_only_who_may_export_does_and_an_access_token_alone_does_not(world: World) -> None:
    await world.register()
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    for role in (Role.HELPER, Role.AUDITOR):
        other = await operator_in(world, role)
        assert (await other.client.post(f"{API}/{ada.id}/export")).json()["code"] == "permission_missing"
        assert "/export" not in (await other.client.get(f"{PAGE}/{ada.id}")).text
    token = admin.client.headers.pop("Cookie").partition("access_token=")[2].partition(";")[0]
    alone = await admin.client.post(f"{API}/{ada.id}/export", headers={"Authorization": f"Bearer {token}"})
    assert (alone.status_code, alone.json()["code"]) == (403, "refresh_token_required")
    assert await exports_of(world) == 0


async def test_o76_it_ends_with_the_session_of_its_operator(world: World) -> None:
    """O76: between two pages of a long file too."""
    await world.register()
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    async with world.env.store.reading() as read:
        (session,) = await read.sessions.of_account(admin.account.id, 1, world.clock.now())
    data = await export_person(world.env, Operator(admin.account.id, session.id, "192.0.2.7"), ada)
    await sign_out_everywhere(world.env, COMMAND_LINE, admin.account)
    with pytest.raises(SessionOver):
        _ = [part async for part in data_as_json(data)]


async def test_o76_nobody_is_person_unknown(world: World) -> None:
    admin = await operator_in(world, Role.ADMIN)
    for account_id in (new_id(), "x", "%00"):
        answer = await admin.client.post(f"{API}/{account_id}/export")
        assert (answer.status_code, answer.json()["code"]) == (404, "person_unknown")
        assert (await admin.client.get(f"{PAGE}/{account_id}/export")).status_code == 404
    assert await exports_of(world) == 0
