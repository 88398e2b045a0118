"""Turn settings into a `Policy`: the rules that flows and model use."""

from datetime import timedelta
from fractions import Fraction
from urllib.parse import urlsplit

from vestibule.crypto.bcrypt_hashes import BCRYPT_MAX_BYTES
from vestibule.crypto.common_passwords import common_passwords
from vestibule.model.access_tokens import Issuer
from vestibule.model.factors import SecondFactorRule
from vestibule.model.impersonation import Impersonation
from vestibule.model.limits import LetterLimits, NetworkLimits, RateClass
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.operators import Console
from vestibule.model.passwords import PasswordRules
from vestibule.model.policy import Policy
from vestibule.model.retention import Retention
from vestibule.model.session_limits import SessionLimits
from vestibule.settings.fields import Settings

_LETTERS_APART = timedelta(minutes=5)
# The limits of a network, as a multiple of its limit for sign-ins: a network with more users needs more of everything.
_SHARES_OF_SIGN_INS = {
    RateClass.SIGN_IN: Fraction(1),
    RateClass.REGISTER: Fraction(1, 5),
    RateClass.MAIL: Fraction(2, 5),
    RateClass.REFRESH: Fraction(4),
    RateClass.ACCOUNT: Fraction(2),
}
_LETTERS_AN_HOUR = Fraction(1, 5)  # emails in an hour, as a multiple of the sign-ins in a minute


def to_policy(chosen: Settings) -> Policy:
    """Return the policy for these settings."""
    verification_mandatory = chosen.email_verification == "mandatory"
    return Policy(
        issuer=Issuer(chosen.issuer, chosen.audience, timedelta(seconds=chosen.clock_leeway_seconds)),
        access_lifetime=timedelta(seconds=chosen.access_token_seconds),
        sessions=_sessions(chosen),
        passwords=_passwords(chosen),
        revocation_staleness=timedelta(seconds=chosen.revocation_staleness_seconds),
        verification_mandatory=verification_mandatory,
        link_base=chosen.link_base,
        own_base=chosen.own_base,
        language=chosen.language,
        login_attempts=LoginAttemptLimits(
            at_most=chosen.password_failures,
            free=min(LoginAttemptLimits.free, chosen.password_failures),
        ),
        networks=NetworkLimits({each: _part(chosen, share) for each, share in _SHARES_OF_SIGN_INS.items()}),
        letters=LetterLimits.per_hour(chosen.letters_per_email, _part(chosen, _LETTERS_AN_HOUR), _LETTERS_APART),
        product=chosen.product_name,
        events_kept=timedelta(days=chosen.history_days),
        retention=_retention(chosen),
        reauthentication=timedelta(seconds=chosen.reauthentication_seconds),
        factor_reset_wait=timedelta(days=chosen.factor_reset_days),
        conceal_accounts=verification_mandatory if chosen.conceal_accounts is None else chosen.conceal_accounts,
        relying_party=chosen.relying_party,
        second_factor=SecondFactorRule(chosen.second_factor),
        email_codes=chosen.email_code,
        console=Console(chosen.console),
        impersonation=Impersonation(chosen.impersonation),
        published_keys_lifetime=timedelta(seconds=chosen.published_keys_seconds),
    )


def _sessions(chosen: Settings) -> SessionLimits:
    return SessionLimits(
        idle=timedelta(seconds=chosen.session_idle_seconds),
        absolute=timedelta(seconds=chosen.session_seconds),
        refresh_grace=timedelta(seconds=chosen.refresh_grace_seconds),
        rotate=chosen.refresh_rotation,
        for_account=chosen.sessions_per_account,
    )


def _passwords(chosen: Settings) -> PasswordRules:
    return PasswordRules(
        min_length=chosen.password_min_length,
        max_length=chosen.password_max_length,
        max_bytes=BCRYPT_MAX_BYTES if chosen.password_hash == "bcrypt" else PasswordRules.max_bytes,
        commonest=common_passwords(chosen.password_min_length) if chosen.password_blocklist else None,
        site_words=frozenset({chosen.product_name, urlsplit(chosen.own_base).hostname or ""}),
    )


def _retention(chosen: Settings) -> Retention:
    return Retention(
        sessions=_at_most(Retention.sessions, chosen.history_days),
        letters=_at_most(Retention.letters, chosen.history_days),
        unverified=timedelta(days=chosen.unverified_days),
    )


def _part(chosen: Settings, share: Fraction) -> int:
    """Return `share` of the limit for sign-ins, at least 1: a limit of 0 would refuse everybody."""
    return max(1, int(share * chosen.sign_ins_per_network))


def _at_most(usual: timedelta, days: int) -> timedelta:
    """Return how long to keep something: the usual time, but at most `days`. 0 days means no such limit."""
    return min(usual, timedelta(days=days)) if days else usual
