"""How and when somebody signed in: told by each token, for itself alone."""

from datetime import timedelta

from sqlalchemy import text

from tests.harness.world import World
from tests.stories.services.test_introspect import PATH, a_service
from vestibule.model import access_tokens
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.authentication import Level


def read(world: World, token: str) -> AccessToken:
    """The token as a service reads it."""
    return access_tokens.read(token, world.env.policy.issuer, world.env.keys.access, world.clock.now())


async def test_t17_a_refresh_tells_when_somebody_signed_in_and_not_when_it_was(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    first = read(world, browser.cookies["access_token"])
    assert (first.authenticated_at, first.methods, first.level) == (first.issued_at, ("pwd",), Level.ONE_FACTOR)
    world.clock.advance(minutes=10)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    second = read(world, browser.cookies["access_token"])
    assert second.issued_at == first.issued_at + 600
    assert (second.authenticated_at, second.methods) == (first.authenticated_at, first.methods)


async def test_t17_a_token_gains_nothing_by_what_its_session_proves_later(world: World) -> None:
    await world.register()
    browser, service = await world.sign_in(), await a_service(world)
    early = browser.cookies["access_token"]
    proven_at = world.clock.now() + timedelta(seconds=60)
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(
            text("UPDATE sessions SET amr = 'pwd otp mfa', authenticated_at = :at"),
            {"at": proven_at.isoformat(" ") if world.engines.dialect == "sqlite" else proven_at},
        )
    world.clock.advance(seconds=60)
    assert (await browser.post("/api/auth/refresh")).status_code == 200

    async def told(token: str) -> str:
        return str((await service.post(PATH, data={"token": token})).json()["acr"])

    assert await told(early) == read(world, early).level.acr == Level.ONE_FACTOR.acr
    late = browser.cookies["access_token"]
    assert await told(late) == read(world, late).level.acr == Level.TWO_FACTORS.acr
    assert read(world, late).authenticated_at == int(proven_at.timestamp())
