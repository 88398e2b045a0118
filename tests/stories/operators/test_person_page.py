"""The page of a person: everything about the account, the sentence on top, and only the buttons of one's role."""

from datetime import timedelta
from typing import get_args

import pytest

from tests.harness.authenticator import Authenticator
from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from tests.stories.operators.test_search_page import AT, add, shown
from tests.stories.passkeys import made_passkey
from vestibule.cli.reasons import sentence_of
from vestibule.crypto.entropy import new_id
from vestibule.flows.administer import disable_account
from vestibule.flows.find_people import find_account
from vestibule.flows.see_person import see_person
from vestibule.model.accounts import Account, Role
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.people import LetterFate
from vestibule.model.reasons import Reason
from vestibule.model.why_not_in import why_not_in
from vestibule.web.console.acts import ACTS
from vestibule.web.console.letter_words import FATES, LETTER_NAMES
from vestibule.web.console.why_words import SENTENCES

ADA = "ada@example.com"
pytestmark = pytest.mark.any_engine


async def ada_of(world: World) -> Account:
    found = await find_account(world.env, ADA)
    assert found is not None
    return found


async def add_passkey(world: World, account: Account) -> None:
    async with world.env.store.transaction() as tx:
        await tx.passkeys.add(made_passkey(Authenticator(), account, world.clock.now() - timedelta(days=1)))


async def page_of(browser: Browser, account: Account) -> str:
    answer = await browser.client.get(f"{AT}/{account.id}")
    assert answer.status_code == 200, answer.text
    return answer.text


def buttons(html: str, account: Account) -> set[str]:
    """The acts that a page leads to."""
    return {act.slug for act in ACTS if f'href="{AT}/{account.id}/{act.slug}"' in html}


async def test_a_page_says_everything_of_an_account(world: World) -> None:
    await world.register()
    await world.sign_in()
    ada = await ada_of(world)
    page = shown(await page_of(await operator_in(world, Role.AUDITOR), ada))
    for said in ("Ada Lovelace", ADA, "not confirmed yet", ada.id, "Link to confirm the email address sent"):
        assert said in page, said
    assert "Sessions 1 " in page
    assert "192.0.2.7 · active" in page
    assert "Account created" in page
    assert "Nothing is in the way: the right password signs in. The last sign-in was on" in page


async def test_the_sentence_names_the_reason_and_the_button_mends_it(world: World) -> None:
    ada = await add(world, ADA)
    await disable_account(world.env, COMMAND_LINE, ada, "asked by <phone>")
    admin = await operator_in(world, Role.ADMIN)
    html = await page_of(admin, ada)
    assert "“asked by <phone>”" in shown(html.partition("<details")[0])
    assert f'<a class="button" href="{AT}/{ada.id}/enable">' in html


async def test_nothing_in_the_way_names_the_second_step_of_an_account_that_has_one(world: World) -> None:
    await world.register()
    await world.sign_in()
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    assert "the right password signs in. The last sign-in" in shown(await page_of(admin, ada))
    await add_passkey(world, ada)
    page = shown(await page_of(admin, ada))
    assert "the right password and the second step sign in. The last sign-in" in page
    person = await see_person(world.env, ada.id)
    assert person is not None
    said = sentence_of(why_not_in(person, world.clock.now()))
    assert said.startswith("can sign in with the right password and the second factor; the last time was")


async def test_each_role_sees_the_buttons_of_its_permissions(world: World) -> None:
    await world.register()
    await world.sign_in()
    ada = await ada_of(world)
    seen = {role: buttons(await page_of(await operator_in(world, role), ada), ada) for role in list(Role)[:3]}
    assert seen[Role.AUDITOR] == set()
    assert "sign-out" in seen[Role.HELPER]
    assert not seen[Role.HELPER] & {"disable", "delete"}
    assert seen[Role.ADMIN] >= {"sign-out", "disable", "delete"}


async def test_the_api_shows_the_same(world: World) -> None:
    await world.register()
    await world.sign_in()
    ada, auditor = await ada_of(world), await operator_in(world, Role.AUDITOR)
    data = (await auditor.client.get(f"/api/admin/people/{ada.id}")).json()["data"]
    assert data["account"]["email"] == ADA
    assert data["why_not_in"] == {"reason": "nothing_in_the_way", "mend": None}
    assert [letter["kind"] for letter in data["letters"]] == ["verify_email"]
    assert {event["kind"] for event in data["events"]} == {"registered", "signed_in"}
    assert (data["live_sessions"], data["sessions"][0]["address"]) == (1, "192.0.2.7")
    await disable_account(world.env, COMMAND_LINE, ada, "asked by phone")
    data = (await auditor.client.get(f"/api/admin/people/{ada.id}")).json()["data"]
    assert (data["why_not_in"], data["disabled_reason"]) == (
        {"reason": "disabled", "mend": "enable"},
        "asked by phone",
    )


def test_every_email_and_every_reason_has_its_words() -> None:
    assert set(LETTER_NAMES) == set(LetterKind)
    assert set(FATES) == set(LetterFate)
    assert set(SENTENCES) == set(get_args(Reason))


async def test_nobody_has_no_page(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    for account_id in (new_id(), "x", "%00", "a" * 300):
        assert (await auditor.client.get(f"{AT}/{account_id}")).status_code == 404, account_id
        answer = await auditor.client.get(f"/api{AT}/{account_id}")
        assert answer.status_code == 404, account_id
    assert answer.json()["code"] == "person_unknown"


async def test_an_act_asks_first_and_leads_back_with_a_notice(world: World) -> None:
    await world.register()
    browser_of_ada = await world.sign_in()
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    at = f"{AT}/{ada.id}/sign-out"
    asked = shown((await admin.client.get(at)).text)
    assert f"Ada Lovelace{ADA} Every device is signed out at once." in asked
    assert (await browser_of_ada.get("/api/users/me")).status_code == 200
    done = await admin.client.post(at, data=admin.form)
    assert (done.status_code, done.headers["location"]) == (303, f"{AT}/{ada.id}?done=sign-out")
    assert "Every device is signed out." in shown((await admin.client.get(done.headers["location"])).text)
    assert (await browser_of_ada.get("/api/users/me")).status_code == 401
    again = await admin.client.post(at, data=admin.form)
    assert "Nothing was changed" in shown((await admin.client.get(again.headers["location"])).text)


async def test_a_form_of_another_session_does_nothing(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    other = await operator_in(world, Role.ADMIN)
    refused = await admin.client.post(f"{AT}/{ada.id}/disable", data={**other.form, "reason": "x"})
    assert refused.status_code == 403
    assert (await ada_of(world)).disabled_at is None


async def test_disabling_needs_a_reason_that_is_kept(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    at = f"{AT}/{ada.id}/disable"
    for reason in ("", "   ", "x" * 501):
        refused = await admin.client.post(at, data={**admin.form, "reason": reason})
        assert refused.status_code == 400, reason
        assert 'id="reason-fault"' in refused.text
    assert (await admin.client.post(at, data={**admin.form, "reason": " asked for it "})).status_code == 303
    assert (await ada_of(world)).disabled_reason == "asked for it"
    person = await see_person(world.env, ada.id)
    assert person is not None
    (event,) = [event for event in person.events if event.detail.get("reason")]
    assert (event.actor_id, event.detail["from"], event.detail["to"]) == (admin.account.id, "enabled", "disabled")


@pytest.mark.parametrize("reason", ["a\r\nb", "a\x1b[2Jb", "a\u202eb", "a\u2028b", "a\u2066b"], ids=ascii)
async def test_o97_a_reason_is_one_line_by_console_and_api(world: World, reason: str) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    page = await admin.client.post(f"{AT}/{ada.id}/disable", data={**admin.form, "reason": reason})
    assert (page.status_code, 'id="reason-fault"' in page.text) == (400, True)
    answer = await admin.client.post(f"/api{AT}/{ada.id}/disable", json={"reason": reason})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, ["body", "reason"])
    assert (await ada_of(world)).disabled_at is None


async def test_deleting_needs_the_email_of_the_account(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    at = f"{AT}/{ada.id}/delete"
    assert (await admin.client.post(at, data={**admin.form, "email": admin.account.email})).status_code == 400
    done = await admin.client.post(at, data={**admin.form, "email": ADA.upper()})
    assert "The account is deleted." in shown((await admin.client.get(done.headers["location"])).text)
    assert await find_account(world.env, ADA) is None


async def test_an_act_that_cannot_be_carried_out_says_why(world: World) -> None:
    ada, admin = await add(world, ADA, verified=False), await operator_in(world, Role.ADMIN)
    await add_passkey(world, ada)
    refused = await admin.client.post(f"{AT}/{ada.id}/reset-factors", data=admin.form)
    assert refused.status_code == 409
    assert "Its owner cannot be told by email" in shown(refused.text)


async def test_an_operator_who_was_signed_out_meanwhile_does_nothing(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    world.clock.advance(minutes=16)
    refused = await admin.client.post(f"{AT}/{ada.id}/disable", data={**admin.form, "reason": "x"})
    assert refused.headers["location"].startswith("/reauthenticate") or refused.status_code == 303
    assert (await ada_of(world)).disabled_at is None


async def test_what_mends_stands_before_looking_as_the_person_and_what_deletes(world: World) -> None:
    await world.register()
    ada, admin = await ada_of(world), await operator_in(world, Role.ADMIN)
    html = await page_of(admin, ada)
    order = [
        html.index(f'href="{AT}/{ada.id}/{slug}"') for slug in ("send-reset", "set-role", "impersonate", "disable")
    ]
    assert order == sorted(order)
