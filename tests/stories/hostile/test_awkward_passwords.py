"""Hundreds of awkward passwords: each signs in exactly as it was typed, and not with one character changed."""

import unicodedata
from collections.abc import Iterator

import pytest

from tests.harness.world import World
from vestibule.crypto.entropy import new_id
from vestibule.flows.sign_in import sign_in
from vestibule.model.accounts import Account, Role
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import WrongCredentials
from vestibule.model.sessions import Device

CLIENT_INFO = ClientInfo(Device("a browser", "192.0.2.7"))
ADDRESS = "ada@example.com"

CHARACTERS = (
    *(chr(code) for code in range(0x21)),  # every control character, and the space
    *(chr(code) for code in range(0x7F, 0xA1)),
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u2000\u2003\u2009\u200b\u200c\u200d\u200e\u200f",
    *"\u2028\u2029\u202a\u202e\u202f\u205f\u2060\u2066\u2069\u206a\u206f\u3000\u3164\ufe0e\ufe0f\ufeff\uffa0\ufff9\ufffd",
    *"\ufdd0\ufffe\uffff\U0001d173\U000e0001\U000e0061\U000e0100\U0001fffe\U0010ffff",
    *"\u0300\u0301\u0323\u0338\u20dd\u0e31\u0e4d\u0483\u0591\u064b\u093c\u3099",
    *"\u00e9\u00df\u0130\u0131\u017f\u01c6\u03c2\u1e9e\u212a\u212b\u2126\ufb01\uff21\u4e2d\u0627\u05d0\u0e01\uac00\u1100",
    *"\U0001f511\U0001f1e9\U0001f3fd\U0001f468\U00020000\U0001d400",
)
WHOLE = (
    "        ",
    "\0" * 8,
    "\n" * 8,
    "password\0",
    "\0password",
    " leading and trailing ",
    "null",
    "undefined",
    "$argon2id$v=19$m=64,t=1,p=1$",
    "$2b$12$" + "x" * 53,
    "' OR '1'='1",
    "%s%p%n",
    "\\u0000\\x00\\0",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "Z\u0351\u036b\u0343\u036aa\u0302l\u0323g\u0334o\u0335!",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "x" * 71,
    "x" * 72,
    "x" * 73,
    "x" * 128,
    "\u00fc" * 64,
    "\U0001f511" * 128,
)


def pairs() -> Iterator[tuple[str, str]]:
    """A password, and the same with one character changed or left out."""
    for character in CHARACTERS:
        other = "x" if character != "x" else "y"
        yield f"pass{character}word", f"pass{other}word"
        if not character.isprintable() or character.isspace():
            yield f"password{character}", "password"
    for whole in WHOLE:
        padded = whole.ljust(8, "!")
        yield padded, padded[:-1] + ("#" if padded[-1] != "#" else "+")


def same_by_rule(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


async def signs_in(world: World, email: str, password: str) -> bool:
    try:
        await sign_in(world.env, email, password, CLIENT_INFO)
    except WrongCredentials:
        return False
    return True


async def with_password(world: World, number: int, password: str) -> Account:
    now, password_hash = world.clock.now(), await world.env.passwords.hash(password)
    email = f"ada{number}@example.com"
    return Account(new_id(), "Ada", email, Role.USER, True, now, now, password_hash)


async def complaint(world: World, email: str, password: str, other: str) -> str | None:
    assert not same_by_rule(password, other), ascii(password)
    if not await signs_in(world, email, password):
        return f"{password!a} does not sign in"
    if await signs_in(world, email, other):
        return f"{other!a} signs in for {password!a}"
    return None


async def test_each_signs_in_as_it_was_typed_and_not_otherwise(world: World) -> None:
    """P3, O16: each signs in as it was typed and not otherwise."""
    table = list(pairs())
    assert len(table) >= 250
    accounts = [await with_password(world, number, password) for number, (password, _) in enumerate(table)]
    async with world.env.store.transaction() as tx:
        assert len(await tx.accounts.add_missing(accounts)) == len(table)
    tries = zip(accounts, table, strict=True)
    complaints = [await complaint(world, account.email, *pair) for account, pair in tries]
    assert not any(complaints), "\n".join(filter(None, complaints))


@pytest.mark.parametrize(
    ("typed", "retyped"),
    [("caf\u00e9 au lait", "cafe\u0301 au lait"), ("\u212bngstr\u00f6m", "\u00c5ngstro\u0308m")],
)
async def test_another_keyboard_s_spelling_of_the_same_signs_in(world: World, typed: str, retyped: str) -> None:
    """P4: another keyboard's spelling of the same signs in."""
    await world.register(ADDRESS, typed)
    await world.sign_in(ADDRESS, retyped)
