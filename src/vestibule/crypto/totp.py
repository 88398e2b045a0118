"""Codes of authenticator apps: TOTP (RFC 6238) with the parameters that every app knows: SHA-1, six digits, 30 seconds.

SHA-1 is safe here: HMAC needs no resistance to collisions (RFC 4226, appendix B.2), and several apps ignore any other
algorithm that the QR code names.
"""

import base64
import hashlib
import hmac
from urllib.parse import quote, urlencode

from vestibule.crypto.entropy import random_bytes

DIGITS = 6
STEP_SECONDS = 30
_SECRET_BYTES = 20  # 160 bits, the length that RFC 4226, section 4, recommends
_STEPS_TRIED = (0, -1, 1)  # one in either direction, for clocks that differ and people who type slowly
_OTHER_STEPS = 20  # ten minutes: the error of a phone's clock up to which its codes are recognized, but refused
_GROUP = 4  # characters of the key between two spaces, where people type it


def mint_secret() -> bytes:
    """Return a new secret of 160 random bits."""
    return random_bytes(_SECRET_BYTES)


def code_of(secret: bytes, step: int) -> str:
    """Return the six digits of a time step (RFC 4226, section 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_at(seconds: float) -> int:
    """Return the time step at `seconds` since 1970 (RFC 6238, section 4.2)."""
    return int(seconds // STEP_SECONDS)


def step_of(code: str, secret: bytes, seconds: float) -> int | None:
    """Return the time step of the code: the one at `seconds` since 1970, the one before or the one after (RFC 6238,
    section 5.2); None if it is of another or none. Takes the same time for every wrong code.
    """
    now = step_at(seconds)
    typed = code.encode()
    matching = [
        step for tried in _STEPS_TRIED if hmac.compare_digest(code_of(secret, step := now + tried).encode(), typed)
    ]
    return matching[0] if matching else None


def is_of_earlier_time(code: str, secret: bytes, seconds: float) -> bool:
    """Return whether the code was right within the last `_OTHER_STEPS` steps. The answer may be told: the code is never
    right again.
    """
    now = step_at(seconds)
    return _is_among(code, secret, range(max(0, now - _OTHER_STEPS), now))


def is_of_later_time(code: str, secret: bytes, seconds: float) -> bool:
    """Return whether the code will be right within the next `_OTHER_STEPS` steps. An attacker who is told can wait for
    that moment.
    """
    now = step_at(seconds)
    return _is_among(code, secret, range(now + 1, now + _OTHER_STEPS + 1))


def _is_among(code: str, secret: bytes, steps: range) -> bool:
    return code in [code_of(secret, step) for step in steps]


def is_code(text: str) -> bool:
    """Return whether the text has the form of a code."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def key_of(secret: bytes) -> str:
    """Return the secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def uri_of(secret: bytes, issuer: str, account: str) -> str:
    """Return the `otpauth://` URI that the QR code shows. It names only what differs from every app's defaults."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    parameters = {"secret": base64.b32encode(secret).decode(), "issuer": issuer}
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"
