"""The rules among the settings, as flows and model know them."""

from datetime import timedelta
from urllib.parse import urlsplit

from vestibule.crypto.commonest import commonest_passwords
from vestibule.crypto.passwords import BCRYPT_MAX_BYTES
from vestibule.model.access_tokens import Issuer
from vestibule.model.limits import LetterLimits, NetworkLimits, RateClass
from vestibule.model.login_attempts import LoginAttemptLimits
from vestibule.model.passwords import PasswordRules
from vestibule.model.policy import Policy
from vestibule.model.retention import Retention
from vestibule.model.sessions import SessionLimits
from vestibule.settings.fields import Settings

_LETTERS_APART = timedelta(minutes=5)


def policy(chosen: Settings) -> Policy:
    """The rules among the settings."""
    verification_mandatory = chosen.email_verification == "mandatory"
    return Policy(
        issuer=Issuer(chosen.issuer, chosen.audience, timedelta(seconds=chosen.clock_leeway_seconds)),
        access_lifetime=timedelta(seconds=chosen.access_token_seconds),
        sessions=SessionLimits(
            idle=timedelta(seconds=chosen.session_idle_seconds),
            absolute=timedelta(seconds=chosen.session_seconds),
            refresh_grace=timedelta(seconds=chosen.refresh_grace_seconds),
            rotate=chosen.refresh_rotation,
            for_account=chosen.sessions_per_account,
        ),
        passwords=PasswordRules(
            min_length=chosen.password_min_length,
            max_length=chosen.password_max_length,
            max_bytes=BCRYPT_MAX_BYTES if chosen.password_hash == "bcrypt" else 1024,
            commonest=commonest_passwords(chosen.password_min_length) if chosen.refuses_common else None,
            of_here=frozenset({chosen.product_name, urlsplit(chosen.own_base).hostname or ""}),
        ),
        revocation_staleness=timedelta(seconds=chosen.revocation_staleness_seconds),
        verification_mandatory=verification_mandatory,
        link_base=chosen.link_base,
        own_base=chosen.own_base,
        language=chosen.language,
        login_attempts=LoginAttemptLimits(
            at_most=chosen.password_failures,
            free=min(chosen.password_failures_free, chosen.password_failures),
            longest_wait=timedelta(seconds=chosen.password_wait_seconds),
        ),
        networks=NetworkLimits(
            {
                RateClass.SIGN_IN: chosen.sign_ins_per_network,
                RateClass.REGISTER: chosen.registrations_per_network,
                RateClass.MAIL: chosen.mail_per_network,
                RateClass.REFRESH: chosen.refreshes_per_network,
                RateClass.ACCOUNT: chosen.account_per_network,
            }
        ),
        letters=LetterLimits.per_hour(chosen.letters_per_email, chosen.letters_per_network, _LETTERS_APART),
        events_kept=timedelta(days=chosen.event_days),
        retention=Retention(
            sessions=timedelta(days=chosen.session_days),
            letters=timedelta(days=chosen.letter_days),
            devices=timedelta(days=chosen.device_days),
            unverified=timedelta(days=chosen.unverified_days),
        ),
        reauthentication=timedelta(seconds=chosen.reauthentication_seconds),
        conceal_accounts=verification_mandatory if chosen.conceal_accounts is None else chosen.conceal_accounts,
        published_keys_lifetime=timedelta(seconds=chosen.published_keys_seconds),
    )
