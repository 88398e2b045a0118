"""The relying party of WebAuthn: for which domain passkeys are made here, and which origins may use them.

Separate from `webauthn`, because every command reads the policy, but few need the library that checks passkeys.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RelyingParty:
    """Who asks for passkeys (WebAuthn, section 5.4.2). `domain` is the RP ID: browsers offer a passkey only on that
    host and those below it. `name` is shown to people. Answers are taken from these `origins` alone.
    """

    domain: str
    name: str
    origins: tuple[str, ...]


def user_handle(account_id: str) -> str:
    """Return the user handle of an account's passkeys as base64url (WebAuthn, section 5.4.3)."""
    return base64.urlsafe_b64encode(account_id.encode()).rstrip(b"=").decode()


def covers(domain: str, host: str) -> bool:
    """Return whether browsers on `host` accept `domain` as the RP ID: it is the host itself, or above it (WebAuthn,
    section 5.1.3). A domain of one label, such as `com`, is above nothing.
    """
    return host == domain or ("." in domain and host.endswith(f".{domain}") and not is_address(host))


def origins_within(domain: str, origins: Iterable[str]) -> tuple[str, ...]:
    """Return those of these origins on which the passkeys of `domain` can be used, each once."""
    return tuple(dict.fromkeys(each for each in origins if covers(domain, urlsplit(each).hostname or "")))


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, for which there are no passkeys. An IPv6 address may have brackets."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
