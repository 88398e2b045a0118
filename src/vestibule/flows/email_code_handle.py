"""The handle of an email code: sealed in a cookie of the browser that asks, so that strangers cannot fill a table."""

from datetime import UTC, datetime

from vestibule.crypto import bound_codes
from vestibule.crypto.opaque import mint_secret
from vestibule.crypto.seal import CannotUnseal
from vestibule.flows.env import Env
from vestibule.model.email_code_errors import EmailCodeElsewhere
from vestibule.model.email_codes import LIFETIME, EmailCodeHandle

_NAME = "email_code"  # what the seal is for: no other sealed text opens as a handle
_SEPARATOR = ":"


def begin_handle(env: Env, email: str) -> EmailCodeHandle:
    """Return a new handle for a code that is mailed to this email."""
    return EmailCodeHandle(email, mint_secret(), env.clock.now() + LIFETIME)


def seal_handle(env: Env, handle: EmailCodeHandle) -> str:
    """Return the handle sealed, as the browser keeps it in a cookie."""
    sign = "+" if handle.queued else "-"  # equally long, so that the cookie's length tells of no reached limit
    content = _SEPARATOR.join((f"{sign}{int(handle.ends_at.timestamp())}", handle.secret, handle.email))
    return env.keys.refresh.cookie_seal.close(content.encode(), _NAME)


def open_handle(env: Env, kept: str) -> EmailCodeHandle:
    """Return the handle that a browser kept, also an expired one; raises `EmailCodeElsewhere` if we did not seal it."""
    try:
        content = env.keys.refresh.cookie_seal.open(kept, _NAME).decode()
    except CannotUnseal:
        raise EmailCodeElsewhere from None
    signed_end, secret, email = content.split(_SEPARATOR, 2)
    end = int(signed_end)  # the sign says whether the letter was queued
    return EmailCodeHandle(email, secret, datetime.fromtimestamp(abs(end), UTC), queued=end > 0)


def digest_of_code(env: Env, handle_digest: str, code: str) -> str:
    """Return the digest under which a code is stored: it is bound to the handle, so no other browser can use it."""
    return bound_codes.bound_digest(env.keys.refresh.code_key, handle_digest, code)
