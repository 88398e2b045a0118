"""M19: the click on a link that changes an email proves the mailbox, not the account. It counts only from who is signed
in to the account that asked; so nobody's click moves a stranger's account, whose password he knows, to their email.
"""

import re

import httpx
import pytest
from sqlalchemy import update

from tests.harness.world import BASE, World
from tests.unit.flows import DONE, ask_for_change, ask_for_reset, confirm, reset, sign_in_status, verify
from vestibule.crypto.opaque import digest
from vestibule.flows import my_sessions
from vestibule.flows.change_email import confirm_change
from vestibule.flows.identify import identify
from vestibule.model.errors import SessionOver
from vestibule.model.letters import LetterKind
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.sessions import EndReason
from vestibule.storage.sql.schema import accounts
from vestibule.web.pages.line_breaks import breakable

CONFIRM, VERIFY = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.VERIFY_EMAIL
RESET, CHANGED = LetterKind.RESET_PASSWORD, LetterKind.EMAIL_CHANGED
MINE, HIS = "ada@example.com", "stranger@example.net"
MY_PASSWORD, HIS_PASSWORD, NEW = "my own horse", "the stranger's horse", "battery staple"
# What there is at my email before the stranger asks for it, by its columns; None: nothing.
MINE_IS: dict[str, dict[str, object] | None] = {
    "nothing": None,
    "not verified yet": {},
    "closed": {"disabled_at": accounts.c.created_at},
    "from elsewhere": {"provider": "a provider"},
}


@pytest.fixture
async def stranger(world: World) -> httpx.AsyncClient:
    """The stranger's browser. His email is verified."""
    await world.register(HIS, HIS_PASSWORD)
    assert await verify(world, world.secret(VERIFY)) == 200
    return await world.sign_in(HIS, HIS_PASSWORD)


async def wants_mine(world: World, stranger: httpx.AsyncClient) -> str:
    """The secret of the link that I am mailed because the stranger asked for my email."""
    assert await ask_for_change(stranger, MINE, HIS_PASSWORD) == 200
    await world.deliver()
    assert world.mailer.letters[-1].to == MINE
    return world.secret(CONFIRM)


async def click_all(browser: httpx.AsyncClient, secret: str) -> None:
    """Whatever can be sent to where the link leads, with what any page of ours gives this browser to send along."""
    path = f"/confirmemail/{secret}"
    for method in ("HEAD", "GET", "POST"):
        await browser.request(method, path)
    for page in (path, "/profile"):
        token = re.search(r'name="csrf" value="([^"]+)"', (await browser.get(page)).text)
        answer = await browser.post(path, data={"csrf": token[1] if token else ""})
        assert answer.status_code == 403 or answer.headers["location"].startswith(("/login", "/signedout"))
        assert "notice" not in answer.headers.get("location", "")


@pytest.mark.parametrize("signed_in", [False, True], ids=["signed out", "signed in"])
@pytest.mark.parametrize("mine", MINE_IS)
async def test_m19_no_click_of_mine_leaves_me_an_account_whose_password_a_stranger_knows(
    world: World, stranger: httpx.AsyncClient, mine: str, signed_in: bool
) -> None:
    """M19: whatever I have there, and with my browser signed in as anybody; nothing of mine is gone, either."""
    browser = await world.client(origin=BASE)
    if MINE_IS[mine] is not None:
        await world.register(MINE, MY_PASSWORD)
    if signed_in:
        somebody = MINE if MINE_IS[mine] is not None else "eve@example.com"
        if somebody != MINE:
            await world.register(somebody, MY_PASSWORD)
        body = {"email": somebody, "password": MY_PASSWORD}
        assert (await browser.post("/api/auth/login", json=body)).status_code == 200
    if columns := MINE_IS[mine]:
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(update(accounts).where(accounts.c.email == MINE).values(columns))
    secret = await wants_mine(world, stranger)
    await click_all(browser, secret)
    assert await sign_in_status(world, MINE, HIS_PASSWORD) == 400
    assert await sign_in_status(world, HIS, HIS_PASSWORD) == 200
    if mine in {"not verified yet", "from elsewhere"}:
        assert await sign_in_status(world, MINE, MY_PASSWORD) == 200
    await _my_email_is_mine(world, mine)


async def _my_email_is_mine(world: World, mine: str) -> None:
    """I get an account of my own in the ordinary way, and there is no way back to the stranger's email."""
    if mine == "nothing":
        await world.register(MINE, MY_PASSWORD)
        assert await verify(world, world.secret(VERIFY)) == 200
    elif mine != "closed":
        await ask_for_reset(world, MINE)
        await world.deliver()
        assert await reset(world, world.secret(RESET), NEW) == 200
    world.clock.advance(hours=1)
    await world.deliver()
    assert CHANGED not in {letter.kind for letter in world.mailer.letters}
    if mine != "closed":
        assert await sign_in_status(world, MINE, MY_PASSWORD if mine == "nothing" else NEW) == 200


async def test_m19_who_is_not_signed_in_is_led_to_it_and_back(world: World, stranger: httpx.AsyncClient) -> None:
    """M19: the link can be opened on another device than the one that asked."""
    secret = await wants_mine(world, stranger)
    phone = await world.client(origin=BASE)
    page = await phone.get(f"/confirmemail/{secret}")
    assert "Sign in to the account whose email address you want to change" in page.text
    assert MINE not in page.text
    lead = re.search(r'class="button" href="([^"]+)"', page.text)
    assert lead
    form = await phone.get(lead[1])
    target = re.search(r'<input type="hidden" name="return_to" value="(/confirm[^"]+)"', form.text)
    assert target
    fields = {"email": HIS, "password": HIS_PASSWORD, "return_to": target[1]}
    assert (await phone.post("/login", data=fields)).headers["location"] == f"/confirmemail/{secret}"
    page = await phone.get(f"/confirmemail/{secret}")
    assert f"<dd>{breakable(HIS)}</dd>" in page.text
    assert f"<dd>{breakable(MINE)}</dd>" in page.text
    assert await confirm(phone, secret) == DONE
    assert await sign_in_status(world, MINE, HIS_PASSWORD) == 200


async def test_m19_who_is_signed_in_to_another_account_is_told_so(world: World, stranger: httpx.AsyncClient) -> None:
    secret = await wants_mine(world, stranger)
    await world.register("eve@example.com", MY_PASSWORD)
    eve = await world.sign_in("eve@example.com", MY_PASSWORD)
    page = await eve.get(f"/confirmemail/{secret}")
    assert page.status_code == 403
    assert "This link is for another account" in page.text
    assert MINE not in page.text
    assert await confirm(eve, secret) == 403
    assert await confirm(stranger, secret) == DONE, "nothing was spent"


async def test_m19_a_session_that_has_just_ended_confirms_nothing_and_spends_nothing(
    world: World, stranger: httpx.AsyncClient
) -> None:
    secret = await wants_mine(world, stranger)
    caller = await identify(world.env, stranger.cookies["access_token"])
    elsewhere = await world.sign_in(HIS, HIS_PASSWORD)
    await my_sessions.end_one(
        world.env, await identify(world.env, elsewhere.cookies["access_token"]), caller.session_id
    )
    with pytest.raises(SessionOver) as over:
        await confirm_change(world.env, caller, secret)
    assert over.value.code == f"session_{EndReason.SIGNED_OUT_ELSEWHERE.value}"
    async with world.env.store.reading() as read:
        assert await read.one_time_tokens.usable(digest(secret), Purpose.CHANGE_EMAIL, world.clock.now())
    assert await confirm(elsewhere, secret) == DONE


async def test_m19_a_link_that_changes_nothing_any_more_names_nothing_either(
    world: World, stranger: httpx.AsyncClient
) -> None:
    first = await wants_mine(world, stranger)
    world.clock.advance(seconds=1)
    second = await wants_mine(world, stranger)
    reset_link = "0" * 64
    for secret in (first, reset_link, "x"):
        page = await stranger.get(f"/confirmemail/{secret}")
        assert page.status_code == 403
        assert "This link no longer works" in page.text
        assert MINE not in page.text
    world.clock.advance(hours=25)
    again = await world.sign_in(HIS, HIS_PASSWORD)
    page = await again.get(f"/confirmemail/{second}")
    assert (page.status_code, MINE in page.text) == (403, False)
