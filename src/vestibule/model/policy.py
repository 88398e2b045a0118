"""The rules that an operator can set, as one value for the flows."""

from dataclasses import dataclass, field
from datetime import timedelta

from vestibule.crypto.relying_party import RelyingParty
from vestibule.model.access_tokens import Issuer
from vestibule.model.clock import MOST_APART
from vestibule.model.factors import SecondFactorRule
from vestibule.model.impersonation import Impersonation
from vestibule.model.limits import LetterLimits, NetworkLimits
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.operators import Console
from vestibule.model.passwords import PasswordRules
from vestibule.model.retention import Retention
from vestibule.model.session_limits import SessionLimits
from vestibule.model.signing_keys import KeyUse
from vestibule.protocol.access_tokens import MAX_LIFETIME_SECONDS
from vestibule.protocol.claims import MAX_LEEWAY_SECONDS

LONGEST_ACCESS_LIFETIME = timedelta(seconds=MAX_LIFETIME_SECONDS)
LONGEST_LEEWAY = timedelta(seconds=MAX_LEEWAY_SECONDS)


@dataclass(frozen=True)
class Policy:
    """The rules of this installation. Mailed links begin with `link_base` (a front-end), or with `own_base` for pages
    that only Vestibule has. `revocation_staleness`: how old a process's knowledge of revocations and keys may be before
    it asks the database. `conceal_accounts`: no answer may tell whether an email has an account. `language` is that of
    letters to people who chose none.
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
    product: str = "Vestibule"
    """The name under which authenticator apps list their codes."""
    reauthentication: timedelta = timedelta(minutes=5)
    """The greatest age of a sign-in for requests that could harm the account's owner."""
    factor_reset_wait: timedelta = timedelta()
    """How long after a mailed link was opened lost second factors are removed; 0: only operators can begin a reset."""
    relying_party: RelyingParty | None = None
    """For whom passkeys are made; None if there are none here."""
    second_factor: SecondFactorRule = SecondFactorRule.OFFERED
    """Which accounts must have a second factor: they get no token without one."""
    email_codes: bool = False
    """Whether an emailed code signs in."""
    console: Console = Console.TWO_FACTORS
    """What the console and its API require."""
    impersonation: Impersonation = Impersonation.TOLD
    """Whether operators may act as somebody else, and the owner is told."""
    events_kept: timedelta = timedelta(days=365)
    """How long events are kept; 0: without end."""
    retention: Retention = field(default_factory=Retention)

    @property
    def revocation_memory(self) -> timedelta:
        """Return how long a revocation must be kept: until the last access token of its subject has expired everywhere.

        The settings may have had other values when the token was issued, and may have others at a service. So the time
        is the longest lifetime and leeway that can be set, plus the largest difference between three clocks: the
        issuing server's, the revoking server's, and the service's. A revocation kept too long costs memory; one dropped
        too early lets somebody in.
        """
        return LONGEST_ACCESS_LIFETIME + LONGEST_LEEWAY + 3 * MOST_APART

    @property
    def key_lead(self) -> timedelta:
        """Return how long a key must be published before it signs. By then every service that caches keys has it, even
        if it got its keys from the process that was the last to read the new one.
        """
        return self.published_keys_lifetime + self.revocation_staleness + self.issuer.leeway

    def retired_key_lifetime(self, use: KeyUse) -> timedelta:
        """Return how long a retired key still verifies tokens: until all that it signed have expired."""
        token_lifetime = self.access_lifetime if use is KeyUse.ACCESS else self.sessions.absolute
        return token_lifetime + self.key_lead

    @property
    def signs_in_at_sign_up(self) -> bool:
        """Return whether the sign-up page also signs in. If accounts are concealed, that would tell a free email from a
        taken one.
        """
        return not (self.verification_mandatory or self.conceal_accounts)

    @property
    def conceals_unverified(self) -> bool:
        """Return whether a sign-in to an unverified account is answered as if there were no account: otherwise it would
        reveal what registration conceals.
        """
        return self.conceal_accounts and self.verification_mandatory
