"""What an operator may choose about the rules, as one value that the flows are handed."""

from dataclasses import dataclass, field
from datetime import timedelta

from vestibule.model.access_tokens import Issuer
from vestibule.model.clock import MOST_APART
from vestibule.model.limits import LetterLimits, NetworkLimits
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.passwords import PasswordRules
from vestibule.model.retention import Retention
from vestibule.model.sessions import SessionLimits
from vestibule.model.signing_keys import KeyUse
from vestibule.protocol.access_tokens import MAX_LIFETIME_SECONDS
from vestibule.protocol.claims import MAX_LEEWAY_SECONDS

LONGEST_ACCESS_LIFETIME = timedelta(seconds=MAX_LIFETIME_SECONDS)
LONGEST_LEEWAY = timedelta(seconds=MAX_LEEWAY_SECONDS)


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
    login_attempts: LoginAttemptLimits
    networks: NetworkLimits
    conceal_accounts: bool
    published_keys_lifetime: timedelta = timedelta(minutes=5)
    """How long services may keep the published keys without asking again."""
    reauthentication: timedelta = timedelta(minutes=15)
    events_kept: timedelta = timedelta(days=365)
    retention: Retention = field(default_factory=Retention)

    @property
    def revocation_memory(self) -> timedelta:
        """Return how long a revocation can still matter: until the last access token has expired everywhere.

        Not by today's settings, which may have been others when the token was issued and may be others at a service,
        but by the longest that any may set, and for clocks as far apart as they may be: the server's that issued it,
        the server's that ended it, and the service's. What is kept too long costs memory; what is not kept lets
        somebody in.
        """
        return LONGEST_ACCESS_LIFETIME + LONGEST_LEEWAY + 3 * MOST_APART

    @property
    def key_lead(self) -> timedelta:
        """Return how long a key must have been published before it signs: until every service that caches keys has it,
        also if what it asked last was the slowest process to hear of the key.
        """
        return self.published_keys_lifetime + self.revocation_staleness + self.issuer.leeway

    def key_tail(self, use: KeyUse) -> timedelta:
        """Return how long a key checks on after it last signed: until nothing that it signed can live."""
        token_lifetime = self.access_lifetime if use is KeyUse.ACCESS else self.sessions.absolute
        return token_lifetime + self.key_lead

    @property
    def conceals_unverified(self) -> bool:
        """Return whether signing in answers alike for an unverified account and for none: otherwise it would tell what
        registering concealed.
        """
        return self.conceal_accounts and self.verification_mandatory
