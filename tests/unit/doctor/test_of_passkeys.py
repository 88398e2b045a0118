"""F18: passkeys in the database belong to a domain, and neither a server nor the doctor takes another one for it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.backends import Backend
from tests.harness.process import complaint, run
from tests.harness.world import World, world_on
from tests.unit.doctor import FAULT, FINE, severity_of
from tests.unit.doctor.conftest import Chosen
from tests.unit.storage import stored_account
from tests.unit.storage.test_passkeys import added, passkey
from vestibule.doctor import database
from vestibule.model.clock import SystemClock
from vestibule.model.findings import Finding
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.wiring.passkey_domain import require_passkey_domain

SECRET = "a secret of the tests, long enough for keys"
ELSEWHERE = (
    ({"VESTIBULE_URL": "https://auth.example.com"}, "is auth.example.com, but accounts have passkeys"),
    ({"VESTIBULE_URL": "http://127.0.0.1:8000"}, "means none here (browsers make passkeys for names only"),
)


async def look(settings: Settings) -> list[Finding]:
    return [found for found in await database.check(settings, SystemClock()) if found.subject == "passkeys"]


async def one_passkey(world: World) -> None:
    await added(world.env.store, passkey(await stored_account(world.env.store)))


@pytest.mark.parametrize(("given", "said"), ELSEWHERE)
async def test_f18_no_server_and_no_doctor_takes_another_domain(
    given: dict[str, str], said: str, chosen: Chosen, backend: Backend
) -> None:
    async with world_on(backend) as world:
        elsewhere = chosen(**backend.environment, **given)
        assert await look(elsewhere) == []
        await require_passkey_domain(elsewhere, world.env.store)
        await one_passkey(world)
        assert severity_of(await look(elsewhere), said) is FAULT
        with pytest.raises(WrongSettings, match=r"^VESTIBULE_PASSKEY_DOMAIN: .*; go back to localhost, "):
            await require_passkey_domain(elsewhere, world.env.store)
        here = chosen(**backend.environment, VESTIBULE_URL="http://localhost:8000")
        assert severity_of(await look(here), "1 for localhost") is FINE
        await require_passkey_domain(here, world.env.store)


def test_f18_the_start_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert run(tmp_path, "events", VESTIBULE_SECRET_KEY=SECRET).returncode == 0
    with closing(sqlite3.connect(tmp_path / "vestibule-data" / "vestibule.sqlite3")) as connection, connection:
        moment = "2026-01-01 00:00:00.000000"
        connection.execute(
            "INSERT INTO accounts (id, name, email, role, verified, created_at, updated_at, photo, epoch)"
            f" VALUES ('a', 'Ada', 'ada@example.com', 'user', 1, '{moment}', '{moment}', 'default.png', 0)"
        )
        connection.execute(
            "INSERT INTO passkeys (id, account_id, domain, credential_id, public_key, sign_count, aaguid, name,"
            " transports, user_verified, backup_eligible, backed_up, created_at) VALUES ('p', 'a', 'auth.example.com',"
            f" 'AQID', 'pQEC', 0, '0', 'Key', 'usb', 1, 0, 0, '{moment}')"
        )
    refused = run(tmp_path, "serve", VESTIBULE_SECRET_KEY=SECRET)
    assert refused.returncode == 2, refused.stderr
    assert complaint(refused.stderr).startswith("VESTIBULE_PASSKEY_DOMAIN: is localhost, but accounts have passkeys")
    assert run(tmp_path, "events", VESTIBULE_SECRET_KEY=SECRET).returncode == 0
