"""Known devices: what ends them, that nobody spends another's attempts, and what the cookie may be."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import BASE, POLICY, WEB, World, world_on
from tests.stories.attempts.test_enumeration import statements
from tests.stories.bounds import count, fill, number_as_id, numbers
from tests.unit.flows import DONE, EMAIL, NEW_PASSWORD, PASSWORD, ask_for_reset, click, confirm, twice, verify
from vestibule.crypto.opaque import digest
from vestibule.flows.administer import disable_account, enable_account
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account
from vestibule.model.devices import DEVICES_OF_ACCOUNT, MOST_DELETED_AT_ONCE, device_tag
from vestibule.model.letters import LetterKind
from vestibule.model.login_attempts import (
    PLACES,
    AttemptCounter,
    LoginAttemptLimits,
    counters_of_attempts,
    emptiest_place,
)
from vestibule.model.operators import COMMAND_LINE
from vestibule.storage.sql.schema import known_devices

LOGIN, ME = "/api/auth/login", "/api/users/me"
LIMITS = LoginAttemptLimits(at_most=20, free=8)  # four counters of five: all that there is, and fewer to spend
FEW = replace(POLICY, login_attempts=LIMITS)
SECURE = replace(WEB, secure_cookies=True)


@pytest.fixture
async def ada(backend: Backend) -> AsyncIterator[World]:
    """Ada has an account, whose email is verified."""
    async with world_on(backend, FEW) as world:
        await world.register()
        assert await verify(world, world.secret(LetterKind.VERIFY_EMAIL)) == 200
        yield world


async def tries(browser: httpx.AsyncClient, password: str, email: str = EMAIL) -> int:
    return (await browser.post(LOGIN, json={"email": email, "password": password})).status_code


async def burn(world: World, browser: httpx.AsyncClient, email: str = EMAIL) -> None:
    """Try wrong passwords until none is checked any more, however long that takes."""
    for _ in range(LIMITS.at_most + LIMITS.of_a_device.at_most + 1):
        while await tries(browser, "wrong horse", email) == 429:
            world.clock.advance(minutes=15)


async def secret_of(browser: httpx.AsyncClient, world: World) -> str | None:
    """What the browser keeps for Ada's account."""
    account = await find_account(world.env, EMAIL)
    assert account is not None
    return browser.cookies.get(f"device_{device_tag(account.id)}")


async def own_tries(browser: httpx.AsyncClient, password: str) -> bool:
    """Whether the browser's right password is taken though all that strangers have is spent."""
    return await tries(browser, password) == 200


async def change_it(world: World, browser: httpx.AsyncClient) -> None:
    answer = await browser.patch(f"{ME}/password", json={"currentPassword": PASSWORD, **twice(NEW_PASSWORD)})
    assert answer.status_code == 200


async def change_it_on_a_page(world: World, browser: httpx.AsyncClient) -> None:
    csrf = csrf_in(await browser.get("/profile/security/password"))
    form = {"csrf": csrf, "currentPassword": PASSWORD, **twice(NEW_PASSWORD)}
    answer = await browser.post("/profile/security/password", data=form, headers={"Origin": BASE})
    assert answer.status_code == DONE


async def reset_it(world: World, browser: httpx.AsyncClient) -> None:
    await ask_for_reset(world)
    await world.deliver()
    path = f"/api/auth/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    assert (await browser.patch(path, json=twice(NEW_PASSWORD))).status_code == 200


async def reset_it_on_a_page(world: World, browser: httpx.AsyncClient) -> None:
    await ask_for_reset(world)
    await world.deliver()
    path = f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}"
    answer = await browser.post(path, data=twice(NEW_PASSWORD), headers={"Origin": BASE})
    assert answer.status_code == DONE


WAYS: dict[str, Callable[[World, httpx.AsyncClient], Awaitable[None]]] = {
    "change": change_it,
    "change on a page": change_it_on_a_page,
    "reset": reset_it,
    "reset on a page": reset_it_on_a_page,
}


@pytest.mark.parametrize("way", WAYS)
async def test_g11_a_new_password_ends_every_known_device_but_the_one_that_set_it(ada: World, way: str) -> None:
    """G11: an ex's device is a stranger's from then on, and the owner's right password is taken at home, whatever both
    have spent.
    """
    ex, home = await ada.sign_in(), await ada.sign_in()
    before = await secret_of(home, ada)
    await WAYS[way](ada, home)
    assert await secret_of(home, ada) not in {None, before}
    await burn(ada, ex)
    await burn(ada, await ada.client())
    assert not await own_tries(ex, NEW_PASSWORD)
    assert await own_tries(home, NEW_PASSWORD)


@pytest.mark.parametrize("way", ["taken over", "undone", "disabled"])
async def test_g11_who_loses_an_account_is_known_to_it_no_more(world: World, way: str) -> None:
    """G11: in the same transaction; here nobody is known until a password is set."""
    await world.register()
    code = world.secret(LetterKind.VERIFY_EMAIL)
    thief = await world.sign_in()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    if way == "taken over":
        assert await click(world, f"/verifyemail/{code}/mine") == DONE
    elif way == "disabled":
        await disable_account(world.env, COMMAND_LINE, account)
        await enable_account(world.env, COMMAND_LINE, account)
    else:
        assert await verify(world, code) == 200
        body = {"currentPassword": PASSWORD, "email": "thief@example.com"}
        assert (await thief.patch(f"{ME}/email", json=body)).status_code == 200
        await world.deliver()
        assert await confirm(thief, world.secret(LetterKind.CONFIRM_NEW_EMAIL)) == DONE
        await world.deliver()
        assert await click(world, f"/undoemail/{world.secret(LetterKind.EMAIL_CHANGED)}") == DONE
    async with world.env.store.reading() as read:
        assert not await read.known_devices.places(account.id)


async def test_g12_who_knows_one_device_spends_the_tries_of_no_other(ada: World) -> None:
    """G12: each known device has tries of its own, then those of everybody; a right password gives them back."""
    shared, home = await ada.sign_in(), await ada.sign_in()
    await burn(ada, shared)
    assert not await own_tries(shared, PASSWORD)
    for _ in range(LIMITS.of_a_device.at_most - 1):
        assert await tries(home, "wrong horse") == 400
    assert await own_tries(home, PASSWORD)
    for _ in range(LIMITS.of_a_device.at_most - 1):
        assert await tries(home, "wrong horse") == 400
    assert await own_tries(home, PASSWORD)


async def test_g12_a_device_that_has_spent_its_own_goes_on_as_a_stranger(ada: World) -> None:
    """G12: who mistypes at home ten times is not locked out, as long as strangers have left something."""
    home = await ada.sign_in()
    for _ in range(10):
        assert await tries(home, "wrong horse") == 400
    assert await own_tries(home, PASSWORD)


async def test_g12_a_thief_of_a_session_spends_no_device_s_tries(ada: World) -> None:
    """G12: a password that is asked for again is counted by the device as well, or with all that are not known."""
    home = await ada.sign_in()
    thief = await ada.client()
    for name in ("access_token", "refresh_token"):
        thief.cookies[name] = home.cookies[name]
    for _ in range(LIMITS.at_most + LIMITS.of_a_device.at_most + 5):
        body = {"currentPassword": "wrong horse", **twice(NEW_PASSWORD)}
        while (await thief.patch(f"{ME}/password", json=body)).status_code == 429:
            ada.clock.advance(seconds=30)
    answer = await thief.patch(f"{ME}/password", json={"currentPassword": PASSWORD, **twice(NEW_PASSWORD)})
    assert answer.status_code in {400, 401}
    assert await own_tries(home, PASSWORD)


@pytest.mark.parametrize("at_most", [3, 5, 9, 10, 49, 50])
def test_g12_all_known_devices_together_stay_within_the_bound(at_most: int) -> None:
    """G12: a hundred with those of strangers (SP 800-63B-4, 3.2.2), however many devices there are."""
    limits, devices = LoginAttemptLimits(at_most=at_most, free=at_most), dict[int, int]()
    for _ in range(10 * PLACES):
        place = emptiest_place(devices)
        devices[place] = devices.get(place, 0) + 1
    assert max(devices.values()) - min(devices.values()) <= 1
    counters = {counters_of(limits, place) for place in (0, *devices)}
    assert len(counters) * limits.of_a_device.at_most <= at_most
    assert limits.of_a_device.at_most >= min(5, at_most)


def counters_of(limits: LoginAttemptLimits, place: int) -> str:
    return AttemptCounter.of_device("somebody", place, limits).key


def test_g12_a_stranger_has_one_counter_whether_there_is_an_account_or_not() -> None:
    assert [counter.key for counter in counters_of_attempts(None, EMAIL, 3, LIMITS)] == [
        AttemptCounter.of_others(None, EMAIL).key
    ]


async def test_g13_the_device_cookie_is_this_host_s_alone_and_names_no_account(backend: Backend) -> None:
    """G13: `__Host-` wherever browsers take it; HttpOnly; it lives as long as the server keeps the device, counted from
    the last sign-in.
    """
    async with world_on(backend, web=SECURE) as world:
        await world.register()
        account = await find_account(world.env, EMAIL)
        assert account is not None
        browser = await world.client()
        first = await browser.post(LOGIN, json={"email": EMAIL, "password": PASSWORD})
        (line,) = [line for line in first.headers.get_list("set-cookie") if "device_" in line]
        assert line.startswith(f"__Host-device_{device_tag(account.id)}=")
        assert account.id[:8] not in line
        for attribute in ("Path=/", "HttpOnly", "Secure", "SameSite=Lax", f"Max-Age={365 * 86400}"):
            assert f"; {attribute}" in line
        assert "domain" not in line.lower()
        kept = line.partition(";")[0]
        again = await browser.post(LOGIN, json={"email": EMAIL, "password": PASSWORD}, headers={"Cookie": kept})
        assert [line.partition(";")[0] for line in again.headers.get_list("set-cookie") if "device_" in line] == [kept]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "secure"])
async def test_g13_no_number_of_planted_cookies_hides_the_real_one(backend: Backend, secure: bool) -> None:
    """G13: of other names, of other hosts, and in front."""
    async with world_on(backend, FEW, replace(WEB, secure_cookies=secure)) as world:
        await world.register()
        mark = "__Host-device_" if secure else "device_"
        first = await (await world.client()).post(LOGIN, json={"email": EMAIL, "password": PASSWORD})
        (kept,) = [line.partition(";")[0] for line in first.headers.get_list("set-cookie") if mark in line]
        name, _, secret = kept.partition("=")
        junk = [f"{mark}{number:016x}={secret[::-1]}" for number in range(40)]
        if secure:  # what another host can plant
            junk += [f"{name.removeprefix('__Host-')}={secret[::-1]}"] * 9
        await burn(world, await world.client())
        browser = await world.client()
        browser.headers["Cookie"] = "; ".join([*junk, kept])
        assert await own_tries(browser, PASSWORD)


async def test_g13_a_browser_keeps_a_few_and_the_oldest_go(world: World) -> None:
    """G13: else a family's or a school's browser sends more with each request than a server takes."""
    browser = await world.client()
    for number in range(11):
        await world.register(f"person{number}@example.com")
        assert await tries(browser, PASSWORD, f"person{number}@example.com") == 200
    assert len([name for name in browser.cookies if name.startswith("device_")]) == 8
    account = await find_account(world.env, "person10@example.com")
    assert account is not None
    assert f"device_{device_tag(account.id)}" in browser.cookies


async def test_g12_a_sign_in_asks_the_database_no_more_than_before(world: World) -> None:
    """G12: seven statements for a known device, ten for a new one, four for a wrong password. One more notes the first
    sign-in to an account, and three more end the session that the browser still has.
    """
    await world.register()
    home = await world.client()
    asked = []
    for browser, password in (
        (home, PASSWORD),
        (home, PASSWORD),
        (await world.client(), PASSWORD),
        (await world.client(), "wrong horse"),
        (home, "wrong horse"),
        (home, PASSWORD),
    ):
        with statements() as executed:
            await tries(browser, password)
        # On PostgreSQL both engines tell of one read.
        once = [statement for statement, last in zip(executed, ["", *executed], strict=False) if statement != last]
        asked.append(len([statement for statement in once if not statement.startswith("BEGIN")]))
        if len(asked) == 1:
            for name in ("access_token", "refresh_token"):
                home.cookies.delete(name)
    assert asked[:4] == [9, 8, 11, 4]
    assert asked[4:] == [5, 11]


@pytest.mark.parametrize("known", [99, 100, 105])
async def test_g17_an_account_knows_a_hundred_devices_and_the_longest_unseen_makes_room(
    world: World, known: int
) -> None:
    """G17: in the sign-in itself, at the cost of a statement at the bound; what was there before the bound shrinks."""
    await world.register()
    home = await world.sign_in()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    world.clock.advance(minutes=1)
    n, now = numbers(known - 1), world.clock.now()
    row = {"account_id": account.id, "digest": number_as_id(n), "created_at": now, "last_seen_at": now, "place": 1}
    await fill(world, known_devices, known - 1, row, n)
    home_is_known = known < DEVICES_OF_ACCOUNT
    with statements() as executed:
        await world.sign_in()
    assert any("DELETE FROM known_devices" in statement for statement in executed) != home_is_known
    assert await count(world, known_devices) == DEVICES_OF_ACCOUNT
    assert (await place_of_browser(world, home, account) is not None) == home_is_known


async def test_g17_what_is_counted_is_bounded(world: World) -> None:
    """G17: an account that knows ten thousand costs a sign-in no more than one that knows six hundred."""
    await world.register()
    account = await find_account(world.env, EMAIL)
    assert account is not None
    n, now = numbers(10_000), world.clock.now()
    row = {"account_id": account.id, "digest": number_as_id(n), "created_at": now, "last_seen_at": now, "place": 1}
    await fill(world, known_devices, 10_000, row, n)
    async with world.env.store.reading() as read:
        assert await read.known_devices.places(account.id) == {1: DEVICES_OF_ACCOUNT + MOST_DELETED_AT_ONCE}
    await world.sign_in()
    assert await count(world, known_devices) == 10_000 - MOST_DELETED_AT_ONCE


async def place_of_browser(world: World, browser: httpx.AsyncClient, account: Account) -> int | None:
    secret = await secret_of(browser, world)
    assert secret is not None
    async with world.env.store.reading() as read:
        return await read.known_devices.place(account.id, [digest(secret)])
