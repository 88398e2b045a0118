"""A click proves the mailbox, not the password that somebody typed; and what nobody verified is nobody's."""

from dataclasses import replace

import httpx
import pytest
from sqlalchemy import func, select, update

from tests.harness.backends import Backend
from tests.harness.world import BASE, POLICY, World, mandatory_verification, world_on
from tests.unit.flows import DONE, EMAIL, PASSWORD, ask_for_change, click, confirm, reset, sign_in_status, verify
from vestibule.flows.create_account import create_account
from vestibule.model.accounts import Role
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.schema import accounts, events

VERIFY, RESET = LetterKind.VERIFY_EMAIL, LetterKind.RESET_PASSWORD
CONFIRM, CHANGED, TAKEN = LetterKind.CONFIRM_NEW_EMAIL, LetterKind.EMAIL_CHANGED, LetterKind.EMAIL_TAKEN
HIS, MINE, NEW = "the stranger's horse", "my own horse", "battery staple"
WANTED = "countess@example.com"
CONCEALING = replace(POLICY, conceal_accounts=True)
POLICIES = {"optional": POLICY, "mandatory": mandatory_verification(), "concealing": CONCEALING}
# Who registers first, and how long after that the other does: within ten minutes nothing is replaced, then all is.
ORDERS = {f"{first}, {minutes} minutes": (first, minutes) for first in ("his", "mine") for minutes in (0, 9, 11)}


async def register(world: World, password: str, email: str = EMAIL) -> int:
    body = {"name": "Ada Lovelace", "email": email, "password": password, "passwordConfirm": password}
    return (await (await world.client()).post("/api/auth/register", json=body)).status_code


async def both_register(world: World, first: str, minutes: int) -> None:
    """He and I register my email, and the letters arrive."""
    for password in (HIS, MINE) if first == "his" else (MINE, HIS):
        await register(world, password)
        await world.deliver()
        world.clock.advance(minutes=minutes, seconds=1)


async def stored(world: World, email: str = EMAIL) -> tuple[bool, str | None]:
    """Whether the email is verified, and the password's hash."""
    query = select(accounts.c.verified, accounts.c.password_hash).where(accounts.c.email == email)
    async with world.engines.sqlalchemy_reading() as connection:
        row = (await connection.execute(query)).one()
    return row.verified, row.password_hash


async def in_doubt(world: World) -> bool:
    """Whether it is noted that the only account there is was registered again."""
    async with world.engines.sqlalchemy_reading() as connection:
        return (await connection.execute(select(accounts.c.registered_again_at))).scalar_one() is not None


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("order", ORDERS)
async def test_m17_by_the_contracts_get_no_password_stands_that_somebody_else_may_have_typed(
    backend: Backend, order: str, policy: str
) -> None:
    """M17: it verifies; a letter says why there is no password, and leads to one; who was signed in is not."""
    async with world_on(backend, POLICIES[policy]) as world:
        await both_register(world, *ORDERS[order])
        stranger = await world.client()
        await stranger.post("/api/auth/login", json={"email": EMAIL, "password": HIS})
        assert await verify(world, world.secret(VERIFY)) == 200
        assert await stored(world) == (True, None)
        assert [await sign_in_status(world, password=password) for password in (HIS, MINE)] == [400, 400]
        assert (await stranger.get("/api/users/me")).status_code == 401
        await world.deliver()
        letter = world.mailer.letters[-1]
        assert (letter.kind, letter.to, letter.detail["why"]) == (RESET, EMAIL, "registered_again")
        assert await reset(world, world.secret(RESET), NEW) == 200
        assert [await sign_in_status(world, password=password) for password in (HIS, MINE, NEW)] == [400, 400, 200]


@pytest.mark.parametrize("order", ORDERS)
async def test_m17_the_page_says_why_and_leads_to_a_password(world: World, order: str) -> None:
    """M17: its only button leads to a new password, and what either typed is over."""
    await both_register(world, *ORDERS[order])
    browser = await world.client(origin=BASE)
    path = f"/verifyemail/{world.secret(VERIFY)}"
    page = await browser.get(path)
    assert "used to sign up more than once" in page.text
    assert f'action="{path}/mine"' not in page.text
    assert (await stored(world))[0] is False, "looking verifies nothing"
    led = await browser.post(path)
    assert led.status_code == DONE
    assert led.headers["location"].startswith("/resetpassword/")
    assert (await stored(world))[1] is None
    done = await browser.post(led.headers["location"], data={"password": NEW, "passwordConfirm": NEW})
    assert done.status_code == DONE
    assert [await sign_in_status(world, password=password) for password in (HIS, MINE, NEW)] == [400, 400, 200]


async def test_m17_a_form_that_is_sent_twice_doubts_nothing(backend: Backend) -> None:
    """M17: the same password again is the same person."""
    async with world_on(backend, POLICIES["optional"]) as world:
        assert [await register(world, MINE) for _ in range(3)] == [201, 409, 409]
        await world.deliver()
        assert await verify(world, world.secret(VERIFY)) == 200
        assert await sign_in_status(world, password=MINE) == 200


async def test_m17_once_it_is_verified_no_stranger_puts_the_password_in_doubt(world: World) -> None:
    await register(world, MINE)
    await world.deliver()
    assert await verify(world, world.secret(VERIFY)) == 200
    assert await register(world, HIS) == 409
    assert not await in_doubt(world)


async def test_m17_a_reset_settles_the_doubt(world: World) -> None:
    """M17: it proves the mailbox and sets the password in one; it verifies, too."""
    await both_register(world, "his", 11)
    await (await world.client()).post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    assert await reset(world, world.secret(RESET), NEW) == 200
    verified, password_hash = await stored(world)
    assert verified
    assert password_hash is not None
    assert not await in_doubt(world)


async def owner(world: World) -> httpx.AsyncClient:
    """My browser; my email is verified."""
    await world.register()
    assert await verify(world, world.secret(VERIFY)) == 200
    return await world.sign_in()


SQUATS = {
    "before I asked": (True, {}),
    "after I asked": (False, {}),
    "and was disabled": (True, {"disabled_at": accounts.c.created_at}),
    "and came from elsewhere": (True, {"provider": "a provider", "password_hash": None}),
}


@pytest.mark.parametrize("squats", SQUATS)
async def test_e5_a_squatter_on_the_email_i_want_does_not_kill_my_link(world: World, squats: str) -> None:
    """E5: what nobody verified goes when somebody verifies the mailbox, and its sessions end."""
    before, columns = SQUATS[squats]
    me = await owner(world)
    if before:
        await world.register(WANTED, HIS)
    assert await ask_for_change(me, WANTED) == 200
    await world.deliver()
    if not before:
        await world.register(WANTED, HIS)
    squatter = await world.sign_in(WANTED, HIS)
    if columns:
        async with world.engines.sqlalchemy_transaction() as connection:
            await connection.execute(update(accounts).where(accounts.c.email == WANTED).values(columns))
    assert await confirm(me, world.secret(CONFIRM)) == DONE
    assert (await squatter.get("/api/users/me")).status_code == 401
    assert await sign_in_status(world, WANTED, HIS) == 400
    assert await sign_in_status(world, WANTED, PASSWORD) == 200
    async with world.engines.sqlalchemy_reading() as connection:
        gone = select(func.count()).where(events.c.kind == "squatter_removed")
        assert (await connection.execute(gone)).scalar_one() == 1


async def test_e5_what_somebody_verified_is_theirs(world: World) -> None:
    me = await owner(world)
    assert await ask_for_change(me, WANTED) == 200
    await world.deliver()
    link = world.secret(CONFIRM)
    await world.register(WANTED, HIS)
    assert await verify(world, world.secret(VERIFY)) == 200
    assert await confirm(me, link) == 403
    assert await sign_in_status(world, WANTED, HIS) == 200


async def test_e5_an_operator_who_vouches_for_an_email_is_not_stopped_by_a_squatter(world: World) -> None:
    await world.register(WANTED, HIS)
    squatter = await world.sign_in(WANTED, HIS)
    _, password = await create_account(world.env, COMMAND_LINE, "Ada Lovelace", WANTED, Role.ADMIN)
    assert (await squatter.get("/api/users/me")).status_code == 401
    assert await sign_in_status(world, WANTED, HIS) == 400
    assert await sign_in_status(world, WANTED, password) == 200


async def test_e5_who_registers_what_a_squatter_uses_is_sent_a_link_and_not_told_of_an_account(
    backend: Backend,
) -> None:
    """E5: where accounts are concealed; the link leads to a password of my own."""
    async with world_on(backend, CONCEALING) as world:
        await register(world, HIS)
        await world.deliver()
        await world.sign_in(password=HIS)
        world.clock.advance(minutes=1)
        assert await register(world, MINE) == 201
        await world.deliver()
        assert world.mailer.letters[-1].kind is VERIFY
        led = await (await world.client(origin=BASE)).post(f"/verifyemail/{world.secret(VERIFY)}")
        assert led.headers["location"].startswith("/resetpassword/")
        assert TAKEN not in {letter.kind for letter in world.mailer.letters}


async def test_e5_an_email_that_nobody_verified_is_no_way_back(world: World) -> None:
    """E5: who mistyped her email at sign-up and mends that loses nothing to the owner of the mistyped one."""
    await world.register()
    browser = await world.sign_in()
    assert await ask_for_change(browser, WANTED) == 200
    await world.deliver()
    assert await confirm(browser, world.secret(CONFIRM)) == DONE
    await world.deliver()
    assert CHANGED not in {letter.kind for letter in world.mailer.letters}


@pytest.mark.parametrize(
    ("days", "mailed", "then_hours", "undoes"), [(1.9, True, 23.9, True), (1.9, True, 24, False), (2, False, 0, False)]
)
async def test_m18_a_way_back_is_mailed_within_two_days_or_never(
    world: World, days: float, mailed: bool, then_hours: float, undoes: bool
) -> None:
    """M18: and works for a day from then, so that nobody waits with it."""
    me = await owner(world)
    assert await ask_for_change(me, WANTED) == 200
    await world.deliver()
    assert await confirm(me, world.secret(CONFIRM)) == DONE
    world.clock.advance(days=days)
    await world.deliver()
    told = [letter.link for letter in world.mailer.letters if letter.kind is CHANGED and letter.to == EMAIL]
    assert len(told) == mailed
    world.clock.advance(hours=then_hours)
    for link in told:
        undone = await click(world, f"/undoemail/{link.rpartition('/')[2]}")
        assert undone == (DONE if undoes else 403)
