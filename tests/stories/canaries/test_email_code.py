"""L16: neither an emailed code nor its handle is said or stored, whatever becomes of it."""

from collections.abc import Callable

from tests.harness import dump
from tests.harness.world import World
from tests.stories.canaries import singing
from tests.stories.factors.codes import ASK, VERIFY, another, asked, typed, verified


async def test_l16_f49_a_code_is_neither_logged_nor_stored(world: World, said: Callable[[], str]) -> None:
    """L16, F49: right, wrong, used, late and in another browser."""
    await verified(world)
    browser, other = await world.client(), await world.client()
    first = await asked(world, browser)
    kept = [browser.cookies["email_code"]]
    stored = str(await dump.tables(world))
    assert await typed(browser, another(first)) == "email_code_wrong"
    assert await typed(other, first) == "email_code_elsewhere"
    assert await typed(browser, first) == "ok"
    second = await asked(world, other)
    kept.append(other.cookies["email_code"])
    world.clock.advance(minutes=11)
    answer = await other.post(VERIFY, json={"code": second})
    assert answer.json()["code"] == "email_code_late"
    assert (await other.post(ASK, json={"email": second})).status_code == 400
    stored += str(await dump.tables(world)) + str(await dump.replicated(world))
    secrets = [form for code in (first, second) for form in (code, code.replace("-", ""))] + kept
    written = said()
    assert "email_code_refused" in written
    assert not singing(written, *secrets)
    assert not singing(stored, *secrets)
    assert second not in answer.text
