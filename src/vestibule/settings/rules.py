"""Find settings that are valid one by one but not together."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from vestibule.crypto.relying_party import covers, is_address
from vestibule.settings import unsafe
from vestibule.settings.fields import Settings

_KEY_FIELDS = {
    "JWT_ACCESS_TOKEN_PRIVATE_KEY": "jwt_access_private",
    "JWT_ACCESS_TOKEN_PUBLIC_KEY": "jwt_access_public",
    "JWT_REFRESH_TOKEN_PRIVATE_KEY": "jwt_refresh_private",
    "JWT_REFRESH_TOKEN_PUBLIC_KEY": "jwt_refresh_public",
}


def complaints(chosen: Settings) -> Iterator[str]:
    """Yield a line for each combination that is wrong. The line begins with the setting to change, and names the
    others.
    """
    yield from _missing_keys(chosen)
    if chosen.password_max_length < chosen.password_min_length:
        yield "VESTIBULE_PASSWORD_MAX_LENGTH: is less than VESTIBULE_PASSWORD_MIN_LENGTH"
    yield from _lifetimes(chosen)
    if (chosen.feed_followers or 0) > chosen.connections // 2:
        yield "VESTIBULE_FEED_FOLLOWERS: is more than half of VESTIBULE_CONNECTIONS, which leaves too few for others"
    if chosen.production and not chosen.url:
        yield "VESTIBULE_URL: is needed in production, because mailed links lead there"
    if chosen.metrics and chosen.metrics[1] == chosen.port:
        yield "VESTIBULE_METRICS: has the port of the API, PORT; choose another"
    if chosen.conceal_accounts and chosen.email_verification == "optional":
        yield (
            "VESTIBULE_CONCEAL_ACCOUNTS: conceals nothing while a new account can sign in at once; set "
            "VESTIBULE_EMAIL_VERIFICATION=mandatory, or leave this unset"
        )
    if chosen.pepper.get_secret_value() and chosen.password_hash == "bcrypt":
        yield "VESTIBULE_PEPPER: with it no other program can check bcrypt hashes; unset it, or VESTIBULE_PASSWORD_HASH"
    yield from _passkey_domain(chosen)
    yield from _unsafe(chosen)


def _passkey_domain(chosen: Settings) -> Iterator[str]:
    domain, host = chosen.passkey_domain, urlsplit(chosen.own_base).hostname or ""
    if not domain or covers(domain, host):
        return
    if is_address(host):
        yield (
            f"VESTIBULE_PASSKEY_DOMAIN: VESTIBULE_URL is {chosen.own_base}, and there are no passkeys for IP "
            "addresses; unset this, or give that a host name"
        )
    else:
        yield (
            f"VESTIBULE_PASSKEY_DOMAIN: is {domain}, which browsers refuse on {host}, the host of VESTIBULE_URL; name "
            f"{host} or a domain above it"
        )


def _missing_keys(chosen: Settings) -> Iterator[str]:
    missing = [name for name, field in _KEY_FIELDS.items() if not getattr(chosen, field).get_secret_value()]
    if 0 < len(missing) < len(_KEY_FIELDS):
        also = f", and so is {' and '.join(missing[1:])}" if missing[1:] else ""
        yield f"{missing[0]}: is missing{also}; set all four JWT_… settings, or none"


def _lifetimes(chosen: Settings) -> Iterator[str]:
    if chosen.session_seconds < chosen.session_idle_seconds:
        yield "VESTIBULE_SESSION_SECONDS: is less than VESTIBULE_SESSION_IDLE_SECONDS"
    if chosen.session_idle_seconds < chosen.access_token_seconds:
        yield (
            "VESTIBULE_SESSION_IDLE_SECONDS: is less than VESTIBULE_ACCESS_TOKEN_SECONDS, so a session would be "
            "idle while its access token is valid; raise the former or lower the latter"
        )


def _unsafe(chosen: Settings) -> Iterator[str]:
    if chosen.production:
        yield from unsafe.in_production(chosen.url, chosen.front_ends)
        yield from unsafe.secret("VESTIBULE_SECRET_KEY", chosen.secret_key.get_secret_value())
        yield from unsafe.secret("VESTIBULE_PEPPER", chosen.pepper.get_secret_value())
    yield from unsafe.cookies(chosen.cookie_prefix, secure=chosen.production)
