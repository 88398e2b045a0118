"""F11: however many answer one question at the same moment, one of them is let in; on PostgreSQL."""

import asyncio
from collections import Counter

import httpx

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.passkeys import MINE, VERIFY, add, ask, sign_in, store_passkey
from vestibule.model.events import EventKind
from vestibule.model.passkeys import MOST_PASSKEYS

RACERS = 16
FIRST = Authenticator()


async def test_f11_a_question_is_answered_once_however_many_answer_at_once(racing_world: World) -> None:
    await racing_world.register()
    authenticator = Authenticator()
    passkey = await store_passkey(racing_world, authenticator)
    client = await racing_world.client()
    credential = authenticator.get(await ask(client))
    cookie = {"Cookie": f"ceremony={client.cookies['ceremony']}"}
    racers = [await racing_world.client() for _ in range(RACERS)]
    answers = await asyncio.gather(
        *(racer.post(VERIFY, json={"credential": credential}, headers=cookie) for racer in racers)
    )
    codes = Counter(answer.json().get("code", "let in") for answer in answers)
    assert codes == {"let in": 1, "ceremony_over": RACERS - 1}
    async with racing_world.env.store.reading() as read:
        events = await read.events.of_account(passkey.account_id, 100)
        assert await read.sessions.count_live(passkey.account_id, racing_world.clock.now()) == 1
    assert [event.kind for event in events].count(EventKind.SIGNED_IN) == 1


async def test_f16_of_two_uses_with_one_counter_one_is_told_of(racing_world: World) -> None:
    """F16: the key and its copy, at the same moment."""
    await racing_world.register()
    authenticator = Authenticator()
    passkey = await store_passkey(racing_world, authenticator)
    browsers = [await racing_world.client() for _ in range(2)]
    credentials = []
    for browser in browsers:
        authenticator.passkeys[-1].count = 6
        credentials.append(authenticator.get(await ask(browser)))
    answers = await asyncio.gather(
        *(browser.post(VERIFY, json={"credential": each}) for browser, each in zip(browsers, credentials, strict=True))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    async with racing_world.env.store.reading() as read:
        events = await read.events.of_account(passkey.account_id, 100)
    assert [event.kind for event in events].count(EventKind.PASSKEY_MAY_BE_COPIED) == 1


async def test_f17_however_many_are_added_at_once_there_are_twenty(racing_world: World) -> None:
    """F17: each by a browser of its own. Half are there already: ten are added in a day."""
    await racing_world.register()
    for authenticator in (FIRST, *(Authenticator() for _ in range(MOST_PASSKEYS // 2))):
        await store_passkey(racing_world, authenticator)
    browsers = [await _signed_in_with_the_first(racing_world) for _ in range(RACERS)]
    answers = await asyncio.gather(*(add(browser, Authenticator()) for browser in browsers))
    assert Counter(answer.status_code for answer in answers) == {201: 9, 409: RACERS - 9}


async def test_f25_of_first_factors_added_at_once_one_counts(racing_world: World) -> None:
    """F25: from that moment on, the others' sessions by password alone add nothing."""
    await racing_world.register()
    browsers = [await racing_world.sign_in() for _ in range(RACERS)]
    made = [Authenticator().create(await ask(browser, f"{MINE}/options")) for browser in browsers]
    answers = await asyncio.gather(
        *(browser.post(MINE, json={"credential": each}) for browser, each in zip(browsers, made, strict=True))
    )
    assert Counter(answer.json().get("code", "added") for answer in answers) == {
        "added": 1,
        "reauthentication_required": RACERS - 1,
    }


async def test_f17_one_credential_is_added_once(racing_world: World) -> None:
    """F17: by two sessions at the same moment, each with a question of its own."""
    await racing_world.register()
    await store_passkey(racing_world, FIRST)
    same = Authenticator(make_id=lambda: b"i" * 32)
    browsers = [await _signed_in_with_the_first(racing_world) for _ in range(RACERS)]
    made = [same.create(await ask(browser, f"{MINE}/options")) for browser in browsers]
    answers = await asyncio.gather(
        *(browser.post(MINE, json={"credential": each}) for browser, each in zip(browsers, made, strict=True))
    )
    assert Counter(answer.json().get("code", "added") for answer in answers) == {
        "added": 1,
        "passkey_taken": RACERS - 1,
    }


async def _signed_in_with_the_first(world: World) -> httpx.AsyncClient:
    """A browser whose sign-in is enough to add others."""
    browser = await world.client()
    assert (await sign_in(browser, FIRST)).status_code == 200
    return browser
