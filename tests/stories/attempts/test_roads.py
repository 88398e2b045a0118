"""The table of all roads: what one of them conceals about an email, no other tells, nor the next step on it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import BASE, CHEAP, POLICY, World, world_on
from vestibule.crypto.entropy import new_id
from vestibule.crypto.passwords import Hasher
from vestibule.flows.administer import disable_account
from vestibule.flows.clean_up import clean_up
from vestibule.flows.find_people import find_account
from vestibule.model.accounts import Account, Role
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.operators import COMMAND_LINE

OWNERS, STRANGERS = "correct horse", "battery staple"
# As long as each other, so that lengths can be compared.
UNKNOWN, VERIFIED, UNVERIFIED, DISABLED = (
    f"{who}@example.com" for who in ("nobodyyy", "verified", "newcomer", "disabled")
)
EVERYBODY = (UNKNOWN, VERIFIED, UNVERIFIED, DISABLED)
INVENTED = "0a" * 32
CONCEALING = replace(
    POLICY, verification_mandatory=True, conceal_accounts=True, login_attempts=LoginAttemptLimits(at_most=6, free=3)
)
TWICE = {"password": STRANGERS, "passwordConfirm": STRANGERS}

# Each step: the method, the path, what is sent beside the email. A path of the API is sent JSON, a page a form.
REGISTER = ("POST", "/api/auth/register", {"name": "Ada", **TWICE})
REGISTER_PAGE = ("POST", "/register", {"name": "Ada", **TWICE})
SIGN_IN = ("POST", "/api/auth/login", {"password": STRANGERS})
SIGN_IN_PAGE = ("POST", "/login", {"password": STRANGERS})
FORGOT = ("POST", "/api/auth/forgotpassword", {})
FORGOT_PAGE = ("POST", "/forgotpassword", {})
RESEND = ("POST", "/api/auth/verifyemail", {})
RESEND_PAGE = ("POST", "/verifyemail", {})
VERIFY = ("GET", f"/api/auth/verifyemail/{INVENTED}", None)
VERIFY_PAGE = ("POST", f"/verifyemail/{INVENTED}", {})
RESET = ("PATCH", f"/api/auth/resetpassword/{INVENTED}", TWICE)
RESET_PAGE = ("POST", f"/resetpassword/{INVENTED}", TWICE)
Step = tuple[str, str, dict[str, str] | None]
ROADS: dict[str, tuple[Step, ...]] = {
    "register": (REGISTER,),
    "register twice": (REGISTER, REGISTER),
    "register on a page": (REGISTER_PAGE, REGISTER_PAGE),
    "sign in with a wrong password": (SIGN_IN,),
    "sign in until it has to wait, and until none is checked": (SIGN_IN,) * 9,
    "sign in on a page": (SIGN_IN_PAGE,) * 5,
    "register, then sign in with that password": (REGISTER, SIGN_IN, SIGN_IN_PAGE),
    "register and sign in on pages": (REGISTER_PAGE, SIGN_IN_PAGE, SIGN_IN),
    "spend the attempts, register, sign in": (*(SIGN_IN,) * 4, REGISTER, SIGN_IN),
    "forgotten password, again and again": (FORGOT,) * 5,
    "forgotten password on a page": (FORGOT_PAGE,) * 2,
    "another verification letter, again and again": (RESEND,) * 5,
    "another verification letter on a page": (RESEND_PAGE,) * 2,
    "ask for letters, then register and sign in": (FORGOT, RESEND, REGISTER, SIGN_IN),
    "verify with an invented code": (REGISTER, VERIFY, VERIFY_PAGE, SIGN_IN),
    "reset with an invented token": (FORGOT, RESET, RESET_PAGE, SIGN_IN),
}


@pytest.fixture
async def town(backend: Backend) -> AsyncIterator[World]:
    """Where one of each kind lives."""
    async with world_on(backend, CONCEALING) as world:
        await settle(world)
        yield world


async def settle(world: World) -> None:
    now, hashed = world.clock.now(), Hasher(CHEAP).hash(OWNERS)
    made = [
        Account(new_id(), "Ada", email, Role.USER, email != UNVERIFIED, now, now, hashed)
        for email in (VERIFIED, UNVERIFIED, DISABLED, "ada@example.com")
    ]
    async with world.env.store.transaction() as tx:
        assert len(await tx.accounts.add_missing(made)) == len(made)
    disabled = await find_account(world.env, DISABLED)
    assert disabled is not None
    await disable_account(world.env, COMMAND_LINE, disabled)


async def walk(world: World, steps: tuple[Step, ...], email: str) -> list[object]:
    """What somebody sees who takes these steps about an email, in a browser of his own."""
    seen = []
    client = await world.client(BASE)
    for method, path, sent in steps:
        told = None if sent is None else {"email": email, **sent}
        how = {"json": told} if path.startswith("/api/") and told else {"data": told} if told else {}
        seen.append(shown(await client.request(method, path, **how), email))
    return seen


def shown(answer: httpx.Response, email: str) -> object:
    """The whole answer, cookies and waits among its headers, without the email and what is random in each."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "x-request-id"]
    return answer.status_code, masked(answer.text, email), masked(str(headers), email)


def masked(text: str, email: str) -> str:
    own = text.replace("<wbr>", "").replace(email, "EMAIL").replace(email.replace("@", "%40"), "EMAIL")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32,}\b", "RANDOM", own)


@pytest.mark.parametrize("road", ROADS)
async def test_g16_no_road_tells_who_has_an_account(town: World, road: str) -> None:
    """G16, G6: step by step, for everybody and nobody."""
    seen = {email: await walk(town, ROADS[road], email) for email in EVERYBODY}
    assert [email for email in EVERYBODY if seen[email] != seen[UNKNOWN]] == []


@pytest.mark.parametrize("sign_in", [SIGN_IN, SIGN_IN_PAGE], ids=["api", "page"])
@pytest.mark.parametrize("tries", [1, 4, 8])
async def test_g16_the_right_password_of_who_may_not_sign_in_is_a_wrong_one(
    town: World, sign_in: Step, tries: int
) -> None:
    """G16: of an unverified and of a disabled account, counted like any other."""
    steps: tuple[Step, ...] = ((sign_in[0], sign_in[1], {"password": OWNERS}),) * tries
    seen = {email: await walk(town, steps, email) for email in (UNKNOWN, UNVERIFIED, DISABLED)}
    assert seen[UNVERIFIED] == seen[UNKNOWN]
    assert seen[DISABLED] == seen[UNKNOWN]


@pytest.mark.parametrize("days", [29, 31])
async def test_g16_a_counter_tells_nothing_after_a_month(town: World, days: int) -> None:
    """G16: whatever was deleted meanwhile, and however many attempts there were."""
    for email in EVERYBODY:
        await walk(town, (SIGN_IN,) * 4, email)
        town.clock.advance(seconds=2)
    town.clock.advance(days=days)
    await clean_up(town.env)
    steps = (SIGN_IN,) * 4
    seen = {email: await walk(town, steps, email) for email in EVERYBODY}
    assert [email for email in EVERYBODY if seen[email] != seen[UNKNOWN]] == []


async def test_g16_moving_to_a_taken_email_looks_like_moving_to_a_free_one(town: World) -> None:
    """G16: from the API and from the page."""
    client = await town.client(BASE)
    signed_in = await client.post("/api/auth/login", json={"email": "ada@example.com", "password": OWNERS})
    assert signed_in.status_code == 200
    csrf = csrf_in(await client.get("/profile/security/email"))
    seen = {}
    for email in EVERYBODY:
        move = {"email": email, "currentPassword": OWNERS}
        answers = (
            await client.patch("/api/users/me/email", json=move),
            await client.post("/profile/security/email", data={**move, "csrf": csrf}),
        )
        assert [answer.status_code for answer in answers] in ([200, 303], [202, 303])
        seen[email] = [shown(answer, email) for answer in answers]
    assert [email for email in EVERYBODY if seen[email] != seen[UNKNOWN]] == []


async def test_g16_the_page_tells_everybody_what_a_newcomer_has_to_do(town: World) -> None:
    """G16: since only who has just signed up needs it, and to tell nobody else would tell who has."""
    client = await town.client(BASE)
    for email in EVERYBODY:
        page = await client.post("/login", data={"email": email, "password": STRANGERS})
        assert page.status_code == 400
        assert "If you have just signed up, confirm your email address first" in page.text
