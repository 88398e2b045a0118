"""O74: an invited person chooses a password by the link, and only so is the account usable; O75: created ones."""

from dataclasses import replace

import pytest

from tests.harness.world import World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_search_page import AT, add, shown
from vestibule.flows.find_people import find_account
from vestibule.flows.invite import accept_invitation, invite
from vestibule.model.accounts import Role
from vestibule.model.errors import EmailTaken, InvitationInvalid, PasswordTooEasy
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE

ADA, PASSWORD = "ada@example.com", "battery staple 7"
pytestmark = pytest.mark.any_engine


async def invited(world: World) -> str:
    """Somebody is invited; the secret of the link."""
    await invite(world.env, COMMAND_LINE, "Ada", ADA)
    await world.deliver()
    return world.secret(LetterKind.INVITATION)


async def unused(world: World) -> list[str]:
    """The emails of the accounts that the periodic cleaning deletes in time."""
    world.clock.advance(days=1)
    async with world.env.store.reading() as read:
        return [account.email for account in await read.accounts.never_used(world.clock.now(), 10)]


async def is_dead(world: World, secret: str) -> bool:
    try:
        await accept_invitation(world.env, secret, PASSWORD)
    except InvitationInvalid:
        return True
    return False


async def test_o74_the_link_sets_the_password_once(world: World) -> None:
    secret = await invited(world)
    browser = await world.client(None)
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    page = await browser.get(f"/invitation/{secret}")
    assert (page.status_code, ADA in page.text.replace("<wbr>", "")) == (200, True)
    short = await browser.post(f"/invitation/{secret}", data={"password": "short"})
    assert (short.status_code, 'id="password-fault"' in short.text) == (400, True)
    done = await browser.post(f"/invitation/{secret}", data={"password": PASSWORD})
    assert done.headers["location"].startswith("/login?notice=invitation_accepted")
    assert (await browser.post(f"/invitation/{secret}", data={"password": PASSWORD + "x"})).status_code == 403
    await world.sign_in(ADA, PASSWORD)
    account = await find_account(world.env, ADA)
    assert account is not None
    assert (account.verified, account.role) == (True, Role.USER)


async def test_o74_before_that_nothing_signs_in(world: World) -> None:
    await invited(world)
    client = await world.client()
    for password in ("", "Ada", PASSWORD):
        answer = await client.post("/api/auth/login", json={"email": ADA, "password": password or " " * 8})
        assert answer.status_code == 400


async def test_o74_it_expires_and_can_be_sent_again(world: World) -> None:
    first = await invited(world)
    world.clock.advance(days=7)
    assert await is_dead(world, first)
    second = await invited(world)
    third = await invited(world)
    assert await is_dead(world, second)
    await accept_invitation(world.env, third, PASSWORD)
    with pytest.raises(EmailTaken):
        await invite(world.env, COMMAND_LINE, "Ada", ADA)


async def test_o74_a_password_that_is_too_easy_does_not_spend_it(world: World) -> None:
    secret = await invited(world)
    rules = replace(world.env.policy.passwords, commonest=frozenset({"password"}))
    strict = replace(world.env, policy=replace(world.env.policy, passwords=rules))
    for easy in ("password", ADA):
        with pytest.raises(PasswordTooEasy):
            await accept_invitation(strict, secret, easy)
    await accept_invitation(world.env, secret, PASSWORD)


async def test_o74_an_account_that_is_there_by_another_way_voids_it(world: World) -> None:
    """O74: somebody signed up with the email meanwhile; or reset the password of the invited account."""
    secret = await invited(world)
    world.clock.advance(minutes=11)
    await world.register(ADA)
    assert await is_dead(world, secret)
    secret = await invited(world)
    client = await world.client()
    await client.post("/api/auth/forgotpassword", json={"email": ADA})
    await world.deliver()
    body = {"password": "another horse", "passwordConfirm": "another horse"}
    reset = await client.patch(f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}", json=body)
    assert reset.status_code == 200
    assert await is_dead(world, secret)
    await world.sign_in(ADA, "another horse")


async def test_o74_whoever_signs_up_is_not_told_of_an_invitation(world: World) -> None:
    """O74: the answer is that to an unknown email."""
    await invited(world)
    world.clock.advance(minutes=11)
    client, answers = await world.client(), []
    for email in (ADA, "nobody@example.com"):
        body = {"name": "Eve", "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
        answer = await client.post("/api/auth/register", json=body)
        answers.append((answer.status_code, answer.json()["message"]))
    assert answers[0] == answers[1]


async def test_o74_one_that_nobody_accepts_is_cleaned_up(world: World) -> None:
    await invited(world)
    assert await unused(world) == [ADA]


async def test_o74_an_account_in_use_is_not_replaced(world: World) -> None:
    account = await add(world, ADA, verified=False, first_used_at=world.clock.now())
    with pytest.raises(EmailTaken):
        await invite(world.env, COMMAND_LINE, "Ada", ADA)
    assert await find_account(world.env, ADA) == account


@pytest.mark.parametrize("way", ["invite", "create"])
async def test_o75_a_form_makes_an_account_and_leads_to_it(world: World, way: str) -> None:
    """O75: what was typed stays if it is refused; nobody is shown a password."""
    admin = await operator_in(world, Role.ADMIN)
    refused = await admin.client.post(f"/admin/{way}", data={**admin.form, "email": "no email", "role": "user"})
    assert (refused.status_code, 'value="no email"' in refused.text) == (400, True)
    taken = await admin.client.post(f"/admin/{way}", data={**admin.form, "email": admin.account.email, "role": "user"})
    assert taken.status_code == 409
    done = await admin.client.post(f"/admin/{way}", data={**admin.form, "email": ADA, "name": "Ada", "role": "user"})
    account = await find_account(world.env, ADA)
    assert account is not None
    assert done.headers["location"] == f"{AT}/{account.id}?done={way}"
    page = shown((await admin.client.get(done.headers["location"])).text)
    assert ("The invitation of" in page) is (way == "invite")
    assert (account.verified, account.name) == (way == "create", "Ada")


async def test_o75_the_api_makes_them_too(world: World) -> None:
    admin = await operator_in(world, Role.ADMIN)
    created = await admin.client.post("/api/admin/people", json={"email": ADA, "role": "helper"})
    assert (created.status_code, created.json()["data"]["person"]["role"]) == (201, "helper")
    assert "password" not in created.text
    again = await admin.client.post("/api/admin/invitations", json={"email": ADA})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    bob = await admin.client.post("/api/admin/invitations", json={"email": "bob@example.com"})
    assert (bob.status_code, bob.json()["data"]["person"]["verified"]) == (201, False)
    assert bob.json()["data"]["person"]["name"] == "bob"
