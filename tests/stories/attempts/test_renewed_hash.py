"""An outdated hash is renewed by a sign-in, which is complete before: what keeps the new hash from being stored refuses
nobody.
"""

import pytest

from tests.harness.world import World
from vestibule.model.errors import Overloaded, StoreUnavailable
from vestibule.state.passwords import Passwords

pytestmark = pytest.mark.any_engine


@pytest.mark.parametrize("fault", [Overloaded(1), StoreUnavailable()], ids=["too many hashes wait", "no database"])
async def test_a_sign_in_is_complete_though_its_hash_cannot_be_renewed(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Otherwise the session would be open, and the browser without its cookies."""

    async def refuse(_self: Passwords, _password: str) -> str:
        raise fault

    await world.register()
    monkeypatch.setattr(Passwords, "outdated", lambda _self, _stored: True)
    monkeypatch.setattr(Passwords, "hash", refuse)
    browser = await world.sign_in()
    assert (await browser.get("/api/users/me")).status_code == 200
