"""Passwords: which ones are allowed."""

import re
from dataclasses import dataclass, field

from vestibule.model.errors import PasswordTooEasy


@dataclass(frozen=True)
class PasswordRules:
    """Lengths in Unicode code points, and a limit in bytes (SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2.9).

    The `commonest` passwords are refused (ASVS 5.0, 6.2.4). The `site_words` (product, host) and the account's email
    are refused too, also with digits and signs around them (6.2.11). If `commonest` is None, none of these is refused.
    """

    min_length: int = 8
    max_length: int = 128
    max_bytes: int = 1024
    commonest: frozenset[str] | None = field(default=None, repr=False)
    site_words: frozenset[str] = frozenset()

    def require_hard_to_guess(self, password: str, email: str) -> None:
        """Raise `PasswordTooEasy` if the password, as a whole and ignoring case, is common or about the account."""
        if self.commonest is None:
            return
        folded = password.casefold()
        if folded in self.commonest:
            raise PasswordTooEasy("one of the commonest")
        words = (*self.site_words, *_words_of(email))
        if _bare(folded) in {_bare(word.casefold()) for word in words}:
            raise PasswordTooEasy("about the account")


def _words_of(email: str) -> tuple[str, ...]:
    local, _, domain = email.partition("@")
    return email, local, domain, domain.partition(".")[0]


def _bare(text: str) -> str:
    """Return `text` without digits and signs at both ends: `vestibule` for `vestibule2026!`. If it has no letter,
    return all of it.
    """
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text) or text
