"""The doctor counts the accounts that must have a second factor and have none."""

import pytest

from tests.harness.backends import Backend
from tests.harness.world import world_on
from tests.stories import required_factor
from tests.unit.doctor import FAULT, FINE, HINT, severity_of
from tests.unit.doctor.conftest import Chosen
from vestibule.doctor import database
from vestibule.flows.administer import disable_account
from vestibule.flows.create_account import create_account
from vestibule.model.accounts import Role
from vestibule.model.clock import SystemClock
from vestibule.model.factors import SecondFactorRule
from vestibule.model.findings import Finding
from vestibule.model.operators import COMMAND_LINE
from vestibule.settings.fields import Settings

SECRET = "a secret of the tests, long enough for keys"


async def look(settings: Settings) -> list[Finding]:
    return [found for found in await database.check(settings, SystemClock()) if found.subject == "second factor"]


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("required", "required; 3 of 3 accounts have none yet", "required; 1 of 2 accounts have none yet"),
        (
            "required_for_admins",
            "required_for_admins; 1 of 1 operators have none yet",
            "required_for_admins; all 1 operators have one",
        ),
    ],
)
async def test_it_counts_who_lacks_one(rule: str, before: str, after: str, chosen: Chosen, backend: Backend) -> None:
    """An app that was begun is none; a disabled account is not counted, because it cannot sign in."""
    async with required_factor.requiring(backend, SecondFactorRule.REQUIRED) as world:
        admin, password = await create_account(world.env, COMMAND_LINE, "Root", "root@example.com", Role.ADMIN)
        bob, _ = await create_account(world.env, COMMAND_LINE, "Bob", "bob@example.com", Role.USER)
        await required_factor.scan(world, await required_factor.asked_to_enrol(world))
        settings = chosen(**backend.environment, VESTIBULE_SECOND_FACTOR=rule)
        assert severity_of(await look(settings), before) is HINT
        await required_factor.enrolled(world, admin.email, password)
        await disable_account(world.env, COMMAND_LINE, bob)
        assert severity_of(await look(settings), after) in {HINT, FINE}
        assert await look(chosen(VESTIBULE_SECOND_FACTOR="offered")) == []


@pytest.mark.any_engine
async def test_it_says_that_none_can_be_set_up(chosen: Chosen, backend: Backend) -> None:
    """Without a secret to seal apps under, and without a name for passkeys."""
    async with world_on(backend):
        unnamed = {"VESTIBULE_URL": "http://127.0.0.1:8000", "VESTIBULE_SECRET_KEY": ""}
        nothing = chosen(**{**backend.environment, **unnamed}, VESTIBULE_SECOND_FACTOR="required")
        assert severity_of(await look(nothing), "required, and none can be set up here") is FAULT
        assert severity_of(await look(chosen(VESTIBULE_SECRET_KEY=SECRET)), "all 0 accounts have one") is FINE
