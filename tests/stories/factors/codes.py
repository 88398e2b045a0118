"""Somebody who signs in by an emailed code."""

import httpx

from tests.harness.world import World
from vestibule.model.letters import LetterKind

ADA = "ada@example.com"
ASK, VERIFY = "/api/auth/email-code", "/api/auth/email-code/verify"


async def verified(world: World, email: str = ADA) -> None:
    """Somebody whose email is verified."""
    await world.register(email)
    client = await world.client()
    answer = await client.get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    assert answer.status_code == 200, answer.text


async def ask(world: World, browser: httpx.AsyncClient, email: str = ADA) -> httpx.Response:
    """Ask for a code, and let it be mailed."""
    answer = await browser.post(ASK, json={"email": email})
    assert answer.status_code == 200, answer.text
    await world.deliver()
    return answer


def mailed_codes(world: World, email: str = ADA) -> list[str]:
    """All codes that were mailed to somebody, the latest last."""
    mailed = world.mailer.letters
    return [letter.code for letter in mailed if letter.kind is LetterKind.SIGN_IN_CODE and letter.to == email]


async def asked(world: World, browser: httpx.AsyncClient, email: str = ADA) -> str:
    """The code that was asked for in a browser."""
    await ask(world, browser, email)
    return mailed_codes(world, email)[-1]


async def typed(browser: httpx.AsyncClient, code: str) -> str:
    """`ok`, or the code of the refusal."""
    answer = await browser.post(VERIFY, json={"code": code})
    return "ok" if answer.status_code == 200 else str(answer.json()["code"])


def another(code: str) -> str:
    """A code that is another one."""
    return ("1" if code[0] == "0" else "0") + code[1:]
