"""A link that was asked for by password alone does nothing by password alone once the account has a second factor."""

import httpx

from tests.harness.forms import csrf_in
from tests.harness.world import BASE, World
from tests.stories.factors.apps import ADA, PASSWORD, enrol, prove
from vestibule.model.letters import LetterKind

NEW = "new@example.com"


async def email_of(browser: httpx.AsyncClient) -> str:
    """The email of the account, as its owner sees it."""
    return str((await browser.get("/api/users/me")).json()["data"]["user"]["email"])


async def test_f63_a_change_of_email_of_before_needs_the_factor_too(world: World) -> None:
    """F63: a thief with the password asks for the link, then the owner adds an app. With a code the link works."""
    await world.register()
    early, mine = await world.sign_in(), await world.sign_in()
    body = {"email": NEW, "currentPassword": PASSWORD}
    assert (await early.patch("/api/users/me/email", json=body)).status_code == 200
    await world.deliver()
    at = f"/confirmemail/{world.secret(LetterKind.CONFIRM_NEW_EMAIL)}"
    early.headers["Origin"] = BASE
    form = {"csrf": csrf_in(await early.get("/profile/security"))}
    app, _ = await enrol(world, mine)
    for refused in (await early.get(at), await early.post(at, data=form)):
        assert (refused.status_code, refused.headers["location"].partition("?")[0]) == (303, "/reauthenticate")
        assert NEW not in refused.text
    assert await email_of(mine) == ADA
    await prove(early, app)
    assert "Use this email address" in (await early.get(at)).text
    assert (await early.post(at, data=form)).headers["location"].startswith("/login")
    assert (await mine.get("/api/users/me")).status_code == 401
