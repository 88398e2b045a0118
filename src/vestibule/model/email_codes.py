"""Email codes: eight characters that are mailed, and typed into the browser that asked for them.

k7d2-9fxm    40 random bits, in Crockford's base32

A code is accepted only with the handle in that browser's cookie. The handle says for which email a code was asked, so
the same steps are run and counted whether the email has an account or not.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from vestibule.crypto.opaque import digest
from vestibule.model import typed_codes
from vestibule.model.limits import Limit

LIFETIME = timedelta(minutes=10)
"""How long after it was asked for a code may be typed (SP 800-63B-4, 3.1.3.2)."""
OF_ACCOUNT = 30
"""How many codes an account has at most. When one more is mailed, the oldest is void. Strangers may ask for fewer in
two days (`LetterLimits.codes_a_day`), so they void none of the owner's.
"""
GUESSES = Limit("email_code_guesses", 5, timedelta(hours=1))
"""How many codes may be typed with one handle."""
HANDLE = "handle"
"""A key in a letter's detail: the digest of the handle that its code is for."""
_LENGTH, _GROUP = 8, 4
_CODE = re.compile(rf"[{typed_codes.ALPHABET}]{{{_LENGTH}}}")


@dataclass(frozen=True)
class EmailCodeHandle:
    """What the browser that asks for a code keeps: the email, a secret, and until when the code may be typed. `queued`
    is False if a limit kept its letter from being queued: then there is no right code.
    """

    email: str
    secret: str
    ends_at: datetime
    queued: bool = True

    @property
    def digest(self) -> str:
        """Return the digest of the secret, which may be stored."""
        return digest(self.secret)


def mint_code() -> str:
    """Return a new code, without its hyphen."""
    return typed_codes.mint(_LENGTH)


def read_code(text: str) -> str | None:
    """Return the code in `text`, whatever its case, hyphens and spaces; None if it is no code."""
    plain = typed_codes.plain(text)
    return plain if _CODE.fullmatch(plain) else None


def in_groups(code: str) -> str:
    """Return the code as it is shown, with its hyphen."""
    return f"{code[:_GROUP]}-{code[_GROUP:]}"
