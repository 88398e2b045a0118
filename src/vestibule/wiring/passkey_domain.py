"""Refuse to start a server that makes passkeys for another domain than those in its database.

Browsers offer a passkey only on the domain it was made for (WebAuthn, section 13.4.9). Everybody who has one would be
locked out, or would be asked for a second step that nobody can take.
"""

from vestibule.model.store import Store
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings


async def require_passkey_domain(settings: Settings, store: Store) -> None:
    """Raise `WrongSettings` if the passkeys in the database were made for another domain than the settings say."""
    async with store.reading() as read:
        stored = await read.passkeys.domain()
    fault = other_domain(settings, stored)
    if fault:
        raise WrongSettings(f"VESTIBULE_PASSKEY_DOMAIN: {'; '.join(fault)}")


def other_domain(settings: Settings, stored: str | None) -> tuple[str, str] | None:
    """Return what is wrong, and what to do, if the stored passkeys were made for another domain; otherwise None.
    `stored` is None if there are no passkeys.
    """
    party = settings.relying_party
    domain = party.domain if party else None
    if stored is None or stored == domain:
        return None
    now = f"is {domain}" if domain else f"means none here ({settings.passkeys_missing})"
    what = f"{now}, but accounts have passkeys that were made for {stored}, and browsers use them nowhere else"
    remedy = (
        f"go back to {stored}, with VESTIBULE_URL there or below it; or give them up: Passkeys in docs/operating.md"
    )
    return what, remedy
