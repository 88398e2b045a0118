"""What an operator may choose about the rules, as one value that the flows are handed."""

from dataclasses import dataclass
from datetime import timedelta

from vestibule.model.access_tokens import Issuer
from vestibule.model.limits import LetterLimits
from vestibule.model.passwords import PasswordRules
from vestibule.model.sessions import SessionLimits


@dataclass(frozen=True)
class Policy:
    """The rules of this installation. Mailed links lead to `link_base`, or to `own_base` where front-ends
    have no page.
    """

    issuer: Issuer
    access_lifetime: timedelta
    sessions: SessionLimits
    passwords: PasswordRules
    verification_mandatory: bool
    revocation_staleness: timedelta
    link_base: str
    own_base: str
    language: str
    letters: LetterLimits
    conceal_accounts: bool

    @property
    def revocation_memory(self) -> timedelta:
        """How long after it a revocation can still matter: until the last access token has expired everywhere."""
        return self.access_lifetime + 2 * self.issuer.leeway
