"""P7: what the doctor says of peppers, from the hashes of real accounts."""

from tests.harness.backends import Backend
from tests.harness.world import CHEAP, world_on
from tests.unit.doctor import FAULT, FINE, HINT, severity_of
from tests.unit.doctor.conftest import Chosen
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.pepper import Peppers
from vestibule.doctor import database
from vestibule.model.clock import SystemClock
from vestibule.model.findings import Finding
from vestibule.settings.fields import Settings

FIRST, SECOND = "the first pepper; " * 3 + "one", "the second pepper; " * 3 + "two"


async def look(settings: Settings) -> list[Finding]:
    return await database.check(settings, SystemClock())


async def test_p7_a_lost_pepper_is_a_fault_and_one_that_is_needed_no_more_a_hint(
    chosen: Chosen, backend: Backend
) -> None:
    """P7: two people with a pepper, one without; the pepper is lost, found again, changed, and has done its work."""
    async with world_on(backend, hasher=Hasher(CHEAP)) as world:
        await world.register("eve@example.com")
    async with world_on(backend, hasher=Hasher(CHEAP, peppers=Peppers(FIRST))) as world:
        await world.register("ada@example.com")
        await world.register("bob@example.com")
    lost, needed, done = "2 were hashed with a pepper", "2 still need VESTIBULE_PEPPER_OLD", "no password needs"
    assert severity_of(await look(chosen(**backend.environment)), lost) is FAULT
    assert severity_of(await look(chosen(VESTIBULE_PEPPER=SECOND)), lost) is FAULT
    found = await look(chosen(VESTIBULE_PEPPER=SECOND, VESTIBULE_PEPPER_OLD=FIRST))
    assert (severity_of(found, needed), severity_of(found, "were hashed with")) == (FINE, None)
    async with world_on(backend, hasher=Hasher(CHEAP, peppers=Peppers(SECOND, FIRST))) as world:
        await world.sign_in("ada@example.com")
        await world.sign_in("bob@example.com")
    found = await look(chosen(VESTIBULE_PEPPER=SECOND, VESTIBULE_PEPPER_OLD=FIRST))
    assert (severity_of(found, done), severity_of(found, "were hashed with")) == (HINT, None)
