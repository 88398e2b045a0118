"""What virtual users of Vestibule do, request by request."""

from collections.abc import Iterator
from itertools import count, cycle
from typing import NamedTuple

from measure.load import Script, VirtualUser
from measure.wire import Answer, request
from tests.harness.process import PASSWORD

ME = "/api/users/me"
VERIFY = "/api/auth/verify"


class Tokens(NamedTuple):
    """The tokens that a sign-in returned."""

    access: str
    refresh: str


def look(path: str, tokens: Tokens) -> bytes:
    """Return a GET request with the access token."""
    return request("GET", path, token=tokens.access)


def sign_out(tokens: Tokens) -> bytes:
    """Return a request to sign out."""
    return request("POST", "/api/auth/logout", token=tokens.access)


def sharing(requests: Iterator[bytes], users: int) -> list[VirtualUser]:
    """Return virtual users who share the requests: each takes the next one, until none is left."""
    return [VirtualUser(_taking(requests)) for _ in range(users)]


def again_and_again(requests: list[bytes], users: int) -> list[VirtualUser]:
    """Return virtual users who share the requests, and begin again after the last one."""
    return sharing(cycle(requests), users)


def signing_in(emails: list[str], kept: list[Tokens], users: int, most: int | None = None) -> list[VirtualUser]:
    """Return virtual users who sign in until they are stopped, or `most` times in all. Tokens are added to `kept`."""
    turns = count() if most is None else iter(range(most))
    return [VirtualUser(_signing_in(emails, turns, kept)) for _ in range(users)]


def refreshing(tokens: list[Tokens], kept: list[Tokens] | None = None) -> list[VirtualUser]:
    """Return a virtual user for each session, who refreshes again and again, each time with the newest token. The
    tokens are added to `kept`, if given.
    """
    return [VirtualUser(_refreshing(held.refresh, [] if kept is None else kept)) for held in tokens]


def registering(users: int) -> list[VirtualUser]:
    """Return virtual users who register new accounts, each with another email."""
    numbers = count()
    return [VirtualUser(_registering(numbers)) for _ in range(users)]


def registration(email: str) -> bytes:
    """Return a request to register."""
    body = {"name": "Ada Lovelace", "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
    return request("POST", "/api/auth/register", body=body)


def sign_in(email: str) -> bytes:
    """Return a request to sign in."""
    return request("POST", "/api/auth/login", body={"email": email, "password": PASSWORD})


def tokens_of(answer: Answer) -> Tokens:
    """Return the tokens in the cookies of an answer. Raises `UnexpectedAnswer` if there are none."""
    return Tokens(answer.cookie("access_token"), answer.cookie("refresh_token"))


def _taking(requests: Iterator[bytes]) -> Script:
    for sent in requests:
        _ = yield sent


def _signing_in(emails: list[str], turns: Iterator[int], kept: list[Tokens]) -> Script:
    for turn in turns:
        answer = yield sign_in(emails[turn % len(emails)])
        kept.append(tokens_of(answer))


def _refreshing(refresh_token: str, kept: list[Tokens]) -> Script:
    while True:
        answer = yield request("POST", "/api/auth/refresh", cookie=f"refresh_token={refresh_token}")
        kept.append(tokens_of(answer))
        refresh_token = kept[-1].refresh


def _registering(numbers: Iterator[int]) -> Script:
    while True:
        yield registration(f"new-{next(numbers)}@example.com")
