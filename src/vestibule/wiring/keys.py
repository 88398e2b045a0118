"""Load the signing keys: from the settings, or from the database, where they are encrypted (`wiring.secret`)."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from pydantic import SecretStr

from vestibule.crypto import jwk
from vestibule.crypto.jwk import PrivateKey
from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.flows.open_key_ring import open_key_ring
from vestibule.model.clock import Clock
from vestibule.model.signing_keys import KeyManager, KeySet
from vestibule.model.store import Store
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.settings.types import pem_of
from vestibule.state.key_ring import KeyRing
from vestibule.wiring.secret import has_secret, secret_key, wrong_secret

T = TypeVar("T")


async def keys(settings: Settings, store: Store, clock: Clock, key_manager: KeyManager | None) -> KeyRing:
    """Return the keys in the settings, or else those in the database; raises `WrongSettings`."""
    if key_manager is None:
        return given_keys(settings, checked=True)
    try:
        return await open_key_ring(store, clock, key_manager)
    except CannotUnseal:
        raise wrong_secret(settings) from None


def open_key_manager(settings: Settings, *, make_secret: bool = False) -> KeyManager | None:
    """Return the key manager; None if the settings contain the keys. Raises `WrongSettings`, as `secret_key` does."""
    if settings.keys_are_given:
        return None
    return KeyManager(
        seal=_seal_under(settings, secret_key(settings, make=make_secret)),
        algorithm=settings.signing_algorithm,
        bits=settings.signing_key_bits,
    )


def open_seal(settings: Settings) -> Seal | None:
    """Return the seal of secrets in the database, whether or not the settings contain the keys; None if there is no
    secret to seal with. Creates none. Raises `WrongSettings`, as `secret_key` does.
    """
    return _seal_under(settings, secret_key(settings, make=False)) if has_secret(settings) else None


def _seal_under(settings: Settings, secret: str) -> Seal:
    return Seal(secret, settings.secret_key_old.get_secret_value())


def given_keys(settings: Settings, *, checked: bool = False) -> KeyRing:
    """Return the keys in the four JWT_… settings; raises `WrongSettings` with a line for each that is wrong.

    `checked`: these settings were accepted before, so skip the slow test of the keys' primes.
    """
    faults: list[str] = []
    read = partial(jwk.private_key, checked=checked)
    access = _key_pair(faults, "JWT_ACCESS_TOKEN", read, settings.jwt_access_private, settings.jwt_access_public)
    refresh = _key_pair(faults, "JWT_REFRESH_TOKEN", read, settings.jwt_refresh_private, settings.jwt_refresh_public)
    if access and refresh and access.signing.kid == refresh.signing.kid:
        faults.append("JWT_REFRESH_TOKEN_PRIVATE_KEY: is the access token's key; make another one")
    if faults or not access or not refresh:
        raise WrongSettings("\n".join(faults))
    return KeyRing(access, refresh)


def _key_pair(
    faults: list[str], name: str, read: Callable[[bytes], PrivateKey], private: SecretStr, public: SecretStr
) -> KeySet | None:
    """Return the key pair for one use, or None. Adds a line to `faults` for each half that is wrong."""
    earlier_faults = len(faults)
    signing = _key_in(faults, f"{name}_PRIVATE_KEY", private, read)
    checking = _key_in(faults, f"{name}_PUBLIC_KEY", public, jwk.public_key)
    if signing and checking and signing.kid != checking.kid:
        faults.append(f"{name}_PUBLIC_KEY: is not the public half of {name}_PRIVATE_KEY")
    return KeySet.of(signing) if signing and checking and len(faults) == earlier_faults else None


def _key_in(faults: list[str], name: str, secret: SecretStr, read: Callable[[bytes], T]) -> T | None:
    """Return the key in a setting, or None if the setting is empty or wrong. A wrong one adds a line to `faults`."""
    if not secret.get_secret_value():
        return None
    try:
        return read(pem_of(secret))
    except ValueError as fault:  # `UnusableKey`, or invalid base64
        faults.append(f"{name}: {fault}")
        return None
