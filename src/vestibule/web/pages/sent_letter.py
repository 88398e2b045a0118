"""What "Check your email" shows: where an email was sent, and when it may be sent again.

A short-lived cookie keeps it, because an email in a URL would stand in logs and in `Referer`. The cookie says only what
was typed in this browser, never whether there is an account. It is read as strictly as a form.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.accounts import MAX_NAME_CHARACTERS, NotAnEmail, canonical_email
from vestibule.model.one_time_tokens import OneTimeToken
from vestibule.protocol.cookies import read
from vestibule.web import cookies
from vestibule.web.pages.words import CHECK_EMAIL
from vestibule.web.site import site_of

NEW_EMAIL = "new_email"
"""The `about` of the email that asks to confirm a new email of the account."""
SIGN_IN_CODE = "sign_in_code"
"""The `about` of the email with a code for signing in."""
TAKEN_BACK = "taken_back"
"""The `about` of the email that the owner gets after undoing a change of email."""
_MAX_BYTES = 2000
_MAX_TIMES = 20


@dataclass(frozen=True)
class SentLetter:
    """An email that was asked for: what it is about, and how often it was asked for in this browser, last at `at` (Unix
    time). `name` is kept from the sign-up form.
    """

    about: str
    email: str
    at: int
    times: int = 1
    name: str = ""

    def seconds_to_wait(self, request: Request) -> int:
        """Return for how many seconds the server will send no other email of this kind to this email address."""
        env = site_of(request).env
        letters = env.policy.letters
        spacing = letters.codes if self.about == SIGN_IN_CODE else letters.to_email
        gap = spacing.after(self.times).total_seconds()
        return min(int(gap), max(0, self.at + int(gap) - int(env.clock.now().timestamp())))


def remember(request: Request, response: Response, about: str, email: str, name: str = "") -> None:
    """Keep in a cookie that an email was just asked for, and how often this browser has asked for it."""
    before, now = _kept(request), site_of(request).env.clock.now()
    sent = SentLetter(about, email, int(now.timestamp()), name=name)
    if before is not None and before.email == email:
        times = before.times + 1 if before.about == about else 1
        sent = replace(sent, times=min(times, _MAX_TIMES), name=name or before.name)
    _store(request, response, sent)


def remember_opened(request: Request, response: Response, about: str, link: OneTimeToken) -> None:
    """Keep in a cookie that this link was mailed, unless the cookie already tells of a letter to the same email."""
    before = sent_letter(request)
    if before is None or before.email != link.email:
        _store(request, response, SentLetter(about, link.email, int(link.created_at.timestamp())))


def _store(request: Request, response: Response, sent: SentLetter) -> None:
    value = urlencode(asdict(sent))
    if len(value) > _MAX_BYTES:
        value = urlencode(asdict(replace(sent, name="")))
    site = site_of(request)
    cookies.set_sent_letter(response, value, site.env.clock.now(), site.web)


def sent_letter(request: Request) -> SentLetter | None:
    """Return the letter that "Check your email" tells of; None without one."""
    kept = _kept(request)
    return kept if kept is not None and kept.about in CHECK_EMAIL else None


def new_email(request: Request) -> str:
    """Return the new email of the account that a link was just sent to; empty without one."""
    kept = _kept(request)
    return kept.email if kept is not None and kept.about == NEW_EMAIL else ""


def mailed_code(request: Request) -> SentLetter | None:
    """Return the letter with the code that was asked for in this browser last; None without one."""
    kept = _kept(request)
    return kept if kept is not None and kept.about == SIGN_IN_CODE else None


def values_to_change(request: Request, sent: SentLetter | None) -> dict[str, Any]:
    """Return the variables for a form whose email is to be corrected: what was typed, except passwords, and where the
    cursor stands; no variables if the request does not ask for a correction (`change`).
    """
    if sent is None or request.method != "GET" or "change" not in request.query_params:
        return {}
    return {"values": {"name": sent.name, "email": sent.email}, "focus": "email"}


def _kept(request: Request) -> SentLetter | None:
    """Return what the cookie keeps; None without one, or if it is not one of ours."""
    value = read(request.headers.raw, cookies.SENT_LETTER.encode()) or ""
    try:
        return _parsed(value, site_of(request).env.clock.now()) if 0 < len(value) <= _MAX_BYTES else None
    except (KeyError, ValueError, NotAnEmail):
        return None


def clear(request: Request, response: Response, now: datetime) -> None:
    """Delete the cookie, if the browser sent one."""
    if read(request.headers.raw, cookies.SENT_LETTER.encode()) is not None:
        cookies.clear_sent_letter(response, now, site_of(request).web)


def _parsed(value: str, now: datetime) -> SentLetter | None:
    fields = dict(parse_qsl(value, keep_blank_values=True, max_num_fields=5, errors="strict"))
    about, name = fields["about"], fields["name"]
    email, at, times = canonical_email(fields["email"]), int(fields["at"]), int(fields["times"])
    known = (
        about in {*CHECK_EMAIL, NEW_EMAIL, SIGN_IN_CODE}
        and len(name) <= MAX_NAME_CHARACTERS
        and 1 <= times <= _MAX_TIMES
    )
    return SentLetter(about, email, at, times, name) if known and at <= now.timestamp() else None
