"""O73: an operator gives an account another email, and nobody gains an account by talking one into it."""

from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import POLICY, World, world_on
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_invite import unused
from tests.stories.operators.test_person_page import ADA, ada_of
from tests.stories.operators.test_search_page import AT, add
from vestibule.flows.administer import disable_account
from vestibule.flows.find_people import find_account
from vestibule.flows.set_email import EmailOutcome, set_email
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import EmailTaken
from vestibule.model.letters import LetterKind
from vestibule.model.limits import LetterLimits
from vestibule.model.operator_errors import AccountDisabled, TooManyLinks
from vestibule.model.operators import COMMAND_LINE

NEW, EVE = "countess@example.com", "eve@example.com"
pytestmark = pytest.mark.any_engine


async def in_use(world: World) -> tuple[Account, httpx.AsyncClient]:
    """Ada, verified and signed in."""
    await world.register()
    client = await world.client()
    assert (await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")).status_code == 200
    return await ada_of(world), await world.sign_in()


async def open_link(client: httpx.AsyncClient, world: World) -> httpx.Response:
    """Open the link to the new email and press its button, if it shows one."""
    client.headers.pop("Origin", None)
    client.headers["Sec-Fetch-Site"] = "same-origin"
    path = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    page = await client.get(path)
    if 'name="csrf"' not in page.text:
        return page
    return await client.post(path, data={"csrf": csrf_in(page)})


async def test_o73_the_owner_opens_the_link_and_the_old_email_can_undo_it(world: World) -> None:
    ada, browser = await in_use(world)
    assert await set_email(world.env, COMMAND_LINE, ada, NEW) is EmailOutcome.LINK_MAILED
    await world.deliver()
    assert await ada_of(world) == ada, "nothing has changed yet"
    assert (await open_link(browser, world)).status_code == 303
    await world.deliver()
    assert (await find_account(world.env, NEW)) is not None
    assert [(letter.to, letter.kind) for letter in world.mailer.letters[-2:]] == [
        (NEW, LetterKind.CONFIRM_NEW_EMAIL),
        (ADA, LetterKind.EMAIL_CHANGED),
    ]
    await world.sign_in(NEW)


async def test_o73_whoever_reads_the_mail_there_gains_nothing_without_the_account(world: World) -> None:
    """O73: a stranger has talked the operator into it: the link asks for a sign-in to the account, and another
    account's is none.
    """
    ada, _ = await in_use(world)
    await world.register(EVE)
    eve = await world.sign_in(EVE)
    await set_email(world.env, COMMAND_LINE, ada, NEW)
    await world.deliver()
    for stranger in (await world.client(None), eve):
        page = await open_link(stranger, world)
        assert "csrf" not in page.text.partition("<main")[2].partition("</main>")[0]
    assert await ada_of(world) == ada
    assert await find_account(world.env, NEW) is None


async def test_o73_an_account_that_nobody_used_changes_at_once_and_is_still_to_be_verified(world: World) -> None:
    """O73: typed wrong at sign-up; the link to the wrong email is void, and the account stays one to clean up."""
    await world.register()
    ada, first = await ada_of(world), world.secret(LetterKind.VERIFY_EMAIL)
    assert await set_email(world.env, COMMAND_LINE, ada, NEW) is EmailOutcome.REPLACED
    await world.deliver()
    changed = await find_account(world.env, NEW)
    assert changed is not None
    assert (changed.id, changed.verified, changed.password_hash) == (ada.id, False, ada.password_hash)
    client = await world.client()
    assert (await client.get(f"/api/auth/verifyemail/{first}")).status_code == 403
    assert world.mailer.letters[-1].to == NEW
    assert (await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")).status_code == 200
    await world.sign_in(NEW)


async def test_o73_one_that_nobody_verifies_is_cleaned_up_as_before(world: World) -> None:
    await world.register()
    await set_email(world.env, COMMAND_LINE, await ada_of(world), NEW)
    assert await unused(world) == [NEW]


@pytest.mark.parametrize("verified", [True, False])
async def test_o73_nobody_gets_anothers_email(world: World, verified: bool) -> None:
    """O73: a verified one; and at once, not even one that nobody has verified."""
    await world.register()
    await add(world, NEW, verified=verified)
    with pytest.raises(EmailTaken):
        await set_email(world.env, COMMAND_LINE, await ada_of(world), NEW)
    assert (await ada_of(world)).email == ADA


async def test_o73_no_link_is_mailed_to_the_email_that_another_has_verified(world: World) -> None:
    ada = await add(world, ADA)
    await add(world, NEW)
    with pytest.raises(EmailTaken):
        await set_email(world.env, COMMAND_LINE, ada, NEW)
    await world.deliver()
    assert world.mailer.letters == []


async def test_o73_disabled_or_the_same(world: World) -> None:
    ada = await add(world, ADA)
    assert await set_email(world.env, COMMAND_LINE, ada, ADA) is EmailOutcome.UNCHANGED
    await disable_account(world.env, COMMAND_LINE, ada)
    with pytest.raises(AccountDisabled):
        await set_email(world.env, COMMAND_LINE, ada, EVE)


async def test_o73_a_mailbox_gets_a_limited_number_of_links(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, letters=LetterLimits.per_hour(to_email=1, for_network=9))) as world:
        ada = await add(world, ADA)
        for _ in range(world.env.policy.letters.to_mailbox.times):
            await set_email(world.env, COMMAND_LINE, ada, NEW)
        with pytest.raises(TooManyLinks):
            await set_email(world.env, COMMAND_LINE, ada, NEW)


async def test_o73_by_the_console_and_by_the_api(world: World) -> None:
    ada, admin = await add(world, ADA), await operator_in(world, Role.ADMIN)
    page = await admin.client.post(f"{AT}/{ada.id}/set-email", data={**admin.form, "new_email": "no email"})
    assert (page.status_code, 'id="new_email-fault"' in page.text) == (400, True)
    page = await admin.client.post(f"{AT}/{ada.id}/set-email", data={**admin.form, "new_email": admin.account.email})
    assert (page.status_code, "Another account has this email address" in page.text) == (409, True)
    done = await admin.client.post(f"{AT}/{ada.id}/set-email", data={**admin.form, "new_email": NEW})
    assert done.headers["location"].endswith("?done=set-email")
    answer = await admin.client.post(f"/api{AT}/{ada.id}/set-email", json={"new_email": admin.account.email})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    answer = await admin.client.post(f"/api{AT}/{ada.id}/set-email", json={"new_email": ADA})
    assert answer.json()["data"] == {"changed": False}
