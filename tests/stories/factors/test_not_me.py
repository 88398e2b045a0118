"""Somebody with a session and the password adds a factor. The owner is told, and removes it by the link in the letter:
nothing of the stranger's is left, and the owner's older factor still is.
"""

import pytest

from tests.harness import dump
from tests.harness.authenticator import Authenticator
from tests.harness.backends import Backend
from tests.harness.world import BASE, World
from tests.stories import passkeys, required_factor
from tests.stories.factors.apps import ADA, CODES, FACTORS, LOGIN, PASSWORD, first_step, second_step
from tests.stories.factors.not_me import ADDED, DAYS, chosen, letter_texts, links, press, presses, stored
from tests.stories.factors.resets import account, kinds_of_events, told
from tests.stories.factors.test_undone import (
    THIEF,
    Add,
    Story,
    adds_app_by_api,
    adds_app_by_page,
    adds_passkey_by_api,
    adds_passkey_by_page,
    an_account,
    moves,
    passes,
)
from tests.stories.passkeys.test_second_step import second_step as second_passkey
from tests.unit.flows import DONE, ask_for_change, ask_for_reset, confirm, verify
from vestibule.crypto.opaque import digest
from vestibule.flows.administer import disable_account
from vestibule.model.factors import AccountFactors
from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import UNDO_POSSIBLE_FOR
from vestibule.model.operators import COMMAND_LINE

NEW = "battery staple"
ADDS = (adds_app_by_api, adds_app_by_page, adds_passkey_by_api, adds_passkey_by_page)
DAY = 24 * 3600


def own(add: Add) -> Add:
    """How the owner came to an older factor of another kind."""
    return adds_passkey_by_api if add in {adds_app_by_api, adds_app_by_page} else adds_app_by_api


@pytest.mark.any_engine
@pytest.mark.parametrize("older", [False, True], ids=["the first", "beside an older one"])
@pytest.mark.parametrize("add", ADDS)
async def test_f64_the_link_removes_the_factor_and_whoever_added_it(world: World, add: Add, older: bool) -> None:
    """F64: no session, sign-in that waits, password, device or mailed link of the stranger is left."""
    story = await an_account(world, own(add) if older else None)
    before = await stored(world)
    await add(story)
    await ask_for_reset(world)
    (*_, secret), reset = await links(world), world.secret(LetterKind.RESET_PASSWORD)
    await first_step(waiting := await world.client())
    answer = await press(world, secret)
    assert await stored(world) == before
    ended = await story.browser.get("/api/users/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "session_password_reset")
    assert await second_step(waiting, "000000") == "no_pending_sign_in"
    assert (await waiting.post(LOGIN, json={"email": ADA, "password": PASSWORD})).status_code == 400
    assert (await dump.tables(world))["known_devices"] == []
    assert (await (await world.client()).get(f"/resetpassword/{reset}")).status_code == 403
    await chosen(world, answer, NEW)
    signed_in = await (await world.client()).post(LOGIN, json={"email": ADA, "password": NEW})
    assert signed_in.status_code == (403 if older else 200)
    kinds = await kinds_of_events(world)
    assert (kinds.count("factor_reported"), kinds.count("factor_removed")) == (1, 1)
    await world.deliver()
    assert LetterKind.FACTOR_REMOVED in told(world)


async def test_f64_what_was_added_since_goes_too_with_its_codes(world: World) -> None:
    """F64: an older factor stays, and is asked for after the new password; its codes went when others were made."""
    story = await an_account(world, adds_passkey_by_api)
    own_key = story.keys[0]
    await adds_app_by_api(story)
    await adds_passkey_by_page(story)
    assert (await story.browser.post(CODES)).status_code == 200
    secret = (await links(world))[1]
    await chosen(world, await press(world, secret), NEW)
    assert await stored(world) == AccountFactors(passkeys=1)
    await first_step(browser := await world.client(origin=BASE), password=NEW)
    assert (await passkeys.sign_in(await world.client(origin=BASE), story.keys[-1])).status_code == 404
    assert (await second_passkey(browser, own_key)).status_code == 200


async def test_f64_a_factor_set_up_at_sign_in_is_removed_too(backend: Backend) -> None:
    """F64: who knows the password first, where a second factor is required, keeps no owner out."""
    async with required_factor.requiring(backend) as world:
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        stranger = await required_factor.asked_to_enrol(world)
        options = await passkeys.ask(stranger, required_factor.PASSKEY_OPTIONS)
        credential = (key := Authenticator()).create(options)
        answer = await stranger.post(required_factor.PASSKEY, json={"credential": credential})
        assert answer.status_code == 200, answer.text
        (secret,) = await links(world)
        await chosen(world, await press(world, secret), NEW)
        assert (await passkeys.sign_in(await world.client(origin=BASE), key)).json()["code"] == "passkey_unknown"
        await required_factor.asked_to_enrol(world, password=NEW)


async def test_f65_opening_the_link_changes_nothing_and_it_is_stored_as_a_digest(world: World) -> None:
    story = await an_account(world, None)
    await adds_app_by_api(story)
    (secret,) = await links(world)
    tables = await dump.tables(world)
    assert secret not in str(tables)
    assert digest(secret) in str(tables)
    for method in ("HEAD", "GET"):
        assert (await press(world, secret, method)).status_code == 200
        assert await dump.tables(world) == tables, method
    page = (await press(world, secret, "GET")).text
    assert "What was added since is removed too" in page


async def test_f65_it_works_once_and_for_three_days_from_when_the_factor_was_added(world: World) -> None:
    story = await an_account(world, None)
    await adds_app_by_api(story)
    story.world.clock.advance(seconds=DAY)  # the mail server was away
    (secret,) = await links(world)
    assert all("The link works for 2 days." in " ".join(text.split()) for text in await letter_texts(world, ADDED))
    story.world.clock.advance(seconds=(DAYS - 1) * DAY - 60)
    assert (await press(world, secret, "GET")).status_code == 200
    story.world.clock.advance(seconds=61)
    assert [await presses(world, secret) for _ in range(2)] == ["dead"] * 2
    assert (await stored(world)).totp


async def test_f65_a_late_letter_has_a_link_that_works_for_a_day(world: World) -> None:
    story = await an_account(world, None)
    await adds_app_by_api(story)
    story.world.clock.advance(seconds=DAYS * DAY)
    (secret,) = await links(world)
    story.world.clock.advance(seconds=DAY - 60)
    assert [await presses(world, secret) for _ in range(2)] == ["removed", "dead"]


async def test_f65_a_new_password_and_a_new_email_do_not_end_it(world: World) -> None:
    """F65: otherwise whoever added the factor would end it."""
    story = await an_account(world, None)
    await adds_passkey_by_api(story)
    (secret,) = await links(world)
    body = {"currentPassword": PASSWORD, "password": NEW, "passwordConfirm": NEW}
    assert (await story.browser.patch("/api/users/me/password", json=body)).status_code == 200
    assert await presses(world, secret) == "removed"


@pytest.mark.any_engine
@pytest.mark.parametrize("add", [adds_app_by_api, adds_passkey_by_api])
async def test_f65_it_is_dead_once_its_factor_is_gone(world: World, add: Add) -> None:
    """F65: so no old letter removes what the owner has added since."""
    story = await an_account(world, None)
    await add(story)
    (secret,) = await links(world)
    passkey = (await story.browser.get(passkeys.MINE)).json()["data"]["passkeys"]
    path = f"{passkeys.MINE}/{passkey[0]['id']}" if passkey else f"{FACTORS}/totp"
    assert (await story.browser.delete(path)).status_code == 200
    world.clock.advance(seconds=1)
    await add(story)
    for method in ("GET", "POST"):
        answer = await press(world, secret, method)
        assert (answer.status_code, "/forgotpassword" in answer.text) == (403, True)
    assert (await stored(world)).needed


async def test_f65_an_app_that_was_replaced_leaves_no_link(world: World) -> None:
    story = await an_account(world, None)
    await adds_app_by_api(story)
    world.clock.advance(seconds=1)
    await adds_app_by_api(story)
    first, second = await links(world)
    assert [await presses(world, secret) for secret in (first, second)] == ["dead", "removed"]


async def test_f65_it_touches_no_other_account_and_no_disabled_one(world: World) -> None:
    story = await an_account(world, None)
    await adds_app_by_api(story)
    (secret,) = await links(world)
    await world.register("eve@example.com")
    eve = await world.sign_in("eve@example.com")
    assert await presses(world, "0" * 64) == "dead"
    await disable_account(world.env, COMMAND_LINE, await account(world))
    assert await presses(world, secret) == "dead"
    assert (await eve.get("/api/users/me")).status_code == 200


async def test_f66_another_factor_voids_no_link_and_the_link_of_a_later_one_none_of_an_earlier(world: World) -> None:
    """F66: the link of a later one leaves the earlier one, whose own link still works."""
    story = await an_account(world, None)
    await adds_app_by_api(story)
    world.clock.advance(seconds=1)
    await adds_passkey_by_api(story)
    app, key = await links(world)
    assert [await presses(world, secret) for secret in (key, app)] == ["removed"] * 2
    assert not (await stored(world)).needed


async def test_f66_there_is_no_factor_without_a_letter(world: World) -> None:
    """F66: after ten in a day no other one is added, so none is without a link that removes it; after that link
    the owner adds one again at once.
    """
    story = await an_account(world, adds_app_by_api)
    await passes(story, DAY)
    for _ in range(10):
        world.clock.advance(seconds=1)
        await adds_passkey_by_api(story)
    made = Authenticator().create(await passkeys.ask(story.browser, f"{passkeys.MINE}/options"))
    refused = await story.browser.post(passkeys.MINE, json={"credential": made})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert (await stored(world)).passkeys == 10
    secrets = await links(world)
    assert len(secrets) == 11
    await chosen(world, await press(world, secrets[1]), NEW)
    assert story.app is not None
    await first_step(browser := await world.client(origin=BASE), password=NEW)
    assert await second_step(browser, story.app.next_code()) == "ok"
    assert (await passkeys.add(browser, Authenticator())).status_code == 201


async def test_f68_where_the_email_was_changed_a_link_goes_to_the_account_and_nobody_is_told_its_email(
    world: World,
) -> None:
    """F68: whoever reads the old mailbox removes the factor, and gets no password of the account by that."""
    story = await an_account(world, None)
    await adds_passkey_by_api(story)
    (secret,) = await links(world)
    await moves(story)
    answer = await press(world, secret)
    page = await (await world.client(origin=BASE)).get(answer.headers["location"])
    assert "another email address by now" in page.text
    assert THIEF not in page.text + str(answer.headers)
    await world.deliver()
    assert [letter.to for letter in world.mailer.letters if letter.kind is LetterKind.RESET_PASSWORD] == [THIEF]
    said = "\n".join(str(message) for message in world.mailer.messages if THIEF in str(message["To"]))
    assert "your password stays the same" not in said, "it was removed"
    undo = world.secret(LetterKind.EMAIL_CHANGED)
    assert (await (await world.client(origin=BASE)).post(f"/undoemail/{undo}")).status_code == 303


async def test_f68_links_that_would_move_the_account_again_are_void_once_it_is_back(world: World) -> None:
    """F68: the stranger's mailbox got one when the account moved on from it."""
    story = await an_account(world, None)
    await adds_passkey_by_api(story)
    (secret,) = await links(world)
    await moves(story)
    world.clock.advance(seconds=UNDO_POSSIBLE_FOR.total_seconds() / 3)
    story.email = ADA
    await story.sign_in()
    await moves_back(story)
    to_the_thief = world.secret(LetterKind.EMAIL_CHANGED)
    assert await presses(world, secret) == "removed"
    assert (await (await world.client(origin=BASE)).post(f"/undoemail/{to_the_thief}")).status_code == 403


async def moves_back(story: Story) -> None:
    """The account gets Ada's email again, by a change of its own."""
    assert await ask_for_change(story.browser, ADA) == 200
    await story.world.deliver()
    assert await confirm(story.browser, story.world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
    await story.world.deliver()
