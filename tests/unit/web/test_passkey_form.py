"""The form that the script of the sign-in page sends with a passkey."""

import json

import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.passkeys import step_up
from vestibule.web.pages.words import NO_PASSWORD

pytestmark = pytest.mark.any_engine
AT = "/login/passkey"
NOT_ACCEPTED = "This passkey could not be accepted."


@pytest.mark.parametrize("sent", ["", "{", "[]", "null", '"x"', "{}", '{"id": 1}', '{"a": 1, "a": 2}', "[" * 500])
async def test_what_is_no_passkey_is_refused_in_words(world: World, sent: str) -> None:
    client = await world.client(None)
    await client.post("/api/auth/passkeys/options")
    answer = await client.post(AT, data={"credential": sent})
    assert answer.status_code == 400
    assert NOT_ACCEPTED in answer.text
    assert NO_PASSWORD[0] not in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_passkey_that_nobody_has_here_is_told_so(world: World) -> None:
    client = await world.client(None)
    asked = (await client.post("/api/auth/passkeys/options")).json()["data"]["publicKey"]
    await world.register()
    owner = await world.sign_in()
    authenticator, mine = Authenticator(), "/api/users/me/factors/passkeys"
    made = authenticator.create((await owner.post(f"{mine}/options")).json()["data"]["publicKey"])
    added = await owner.post(mine, json={"credential": made})
    assert added.status_code == 201, added.text
    assert (await step_up(owner, authenticator)).status_code == 200
    await owner.delete(f"{mine}/{added.json()['data']['passkey']['id']}")
    answer = await client.post(AT, data={"credential": json.dumps(authenticator.get(asked))})
    assert answer.status_code == 404
    assert "This passkey is not known here." in answer.text
