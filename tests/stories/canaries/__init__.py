"""Canaries: secrets with a mark in them, and whether one sang: in any case, in base64, hexadecimal, percents, JSON.

Each test drives one kind of face with canaries through success, refusal and failure, and looks at all that was said.
"""

import base64

from vestibule.web.map_reading import PAGES, ROUTES

MARK = "kanarie7"
PASSWORD, NEW_PASSWORD = f"pass {MARK} w\u00f6rd&<1", f'new {MARK} w\u00f6rd"\\2'
NAME = f"Ada {MARK.capitalize()} \u00d6rsted"
SERVICE_KEY = f"vsk_{MARK}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ARGON2 = f"$argon2id$v=19$m=64,t=1,p=1${MARK}c29tZXNhbHQ${MARK}CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2"
LINES = [(line.method, line.path) for line in (*ROUTES, *PAGES) if line.path != "/api/revocations"]
"""Every line of the URL map that answers at once."""
FIELDS = {
    "name": NAME,
    "currentPassword": PASSWORD,
    "password": NEW_PASSWORD,
    "passwordConfirm": NEW_PASSWORD,
    "token": MARK,
    "code": MARK,
}
"""All that a body can say of somebody, without the email."""


def _encoded(text: bytes) -> list[str]:
    """The part of a base64 text that is the same whatever stands before and behind, at each of three places."""
    return [base64.b64encode(b"x" * before + text)[(before * 4 + 2) // 3 : -4].decode() for before in range(3)]


_FORMS = [*_encoded(MARK.encode()), *_encoded(MARK.capitalize().encode())]


def singing(said: str, *more: str) -> list[str]:
    """Which forms of a canary, or of these other secrets, are in what was said."""
    found = [form for form in (MARK, MARK.encode().hex()) if form in said.casefold()]
    return found + [form for form in _FORMS if form in said] + [secret for secret in more if secret and secret in said]
