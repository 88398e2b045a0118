"""Whether the email is verified: what a token says is of when it was made, what the server says is of now."""

from tests.harness.world import World
from tests.stories.services.test_introspect import PATH, a_service
from tests.unit.client.knowing import Knowing
from vestibule.model.letters import LetterKind

VERIFY = "/api/auth/verify"


async def test_t16_a_token_says_what_was_true_and_the_server_what_is(world: World) -> None:
    await world.register()
    browser, service = await world.sign_in(), await a_service(world)
    token, knowing = browser.cookies["access_token"], Knowing()

    async def told() -> tuple[str, bool, bool]:
        header = (await browser.get(VERIFY)).headers["vestibule-email-verified"]
        introspected = (await service.post(PATH, data={"token": token})).json()["email_verified"]
        return header, introspected, knowing.memory.decide(token).email_verified

    assert await told() == ("false", False, False)
    assert await told() == ("false", False, False), "from memory"
    assert (await browser.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")).status_code == 200
    assert await told() == ("true", True, False)
    assert (await browser.post("/api/auth/refresh")).status_code == 200
    token = browser.cookies["access_token"]
    assert await told() == ("true", True, True)
