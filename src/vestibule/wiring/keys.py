"""Load the signing keys: from the settings, or from the database, encrypted under a secret stored elsewhere."""

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NoReturn, TypeVar

from pydantic import SecretStr

from vestibule.crypto import jwk
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.jwk import PrivateKey
from vestibule.crypto.seal import MIN_SECRET_CHARACTERS, CannotUnseal, Seal
from vestibule.flows.open_key_ring import open_key_ring
from vestibule.model.clock import Clock
from vestibule.model.signing_keys import KeyManager, KeySet
from vestibule.model.store import Store
from vestibule.protocol.files import read_bounded
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.settings.types import pem_of
from vestibule.state.key_ring import KeyRing

T = TypeVar("T")
_MAX_SECRET_BYTES = 64_000
_LOST = "if it is lost, see Backup in docs/operating.md"


async def keys(settings: Settings, store: Store, clock: Clock, key_manager: KeyManager | None) -> KeyRing:
    """Return the keys in the settings, or else those in the database; raises `WrongSettings`."""
    if key_manager is None:
        return given_keys(settings, checked=True)
    try:
        return await open_key_ring(store, clock, key_manager)
    except CannotUnseal:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {_another_secret(settings)}") from None


def open_key_manager(settings: Settings, *, make_secret: bool = False) -> KeyManager | None:
    """Return the key manager; None if the settings contain the keys. Raises `WrongSettings`, as `secret_key` does."""
    if settings.keys_are_given:
        return None
    old = settings.secret_key_old.get_secret_value()
    return KeyManager(
        seal=Seal(secret_key(settings, make=make_secret)),
        algorithm=settings.signing_algorithm,
        bits=settings.signing_key_bits,
        previous=Seal(old) if old else None,
    )


def given_keys(settings: Settings, *, checked: bool = False) -> KeyRing:
    """Return the keys in the four JWT_… settings; raises `WrongSettings` with a line for each that is wrong.

    `checked`: the same settings were accepted before, so the slow test of the keys' primes is skipped.
    """
    faults: list[str] = []
    read = partial(jwk.private_key, checked=checked)
    access = _given(faults, "JWT_ACCESS_TOKEN", read, settings.jwt_access_private, settings.jwt_access_public)
    refresh = _given(faults, "JWT_REFRESH_TOKEN", read, settings.jwt_refresh_private, settings.jwt_refresh_public)
    if access and refresh and access.signing.kid == refresh.signing.kid:
        faults.append("JWT_REFRESH_TOKEN_PRIVATE_KEY: is the access token's key; make another one")
    if faults or not access or not refresh:
        raise WrongSettings("\n".join(faults))
    return KeyRing(access, refresh)


def _given(
    faults: list[str], name: str, read: Callable[[bytes], PrivateKey], private: SecretStr, public: SecretStr
) -> KeySet | None:
    """Return the key pair for one use, or None. Adds a line to `faults` for each half that is wrong."""
    before = len(faults)
    signing = _half(faults, f"{name}_PRIVATE_KEY", private, read)
    checking = _half(faults, f"{name}_PUBLIC_KEY", public, jwk.public_key)
    if signing and checking and signing.kid != checking.kid:
        faults.append(f"{name}_PUBLIC_KEY: is not the public half of {name}_PRIVATE_KEY")
    return KeySet.of(signing) if signing and checking and len(faults) == before else None


def _half(faults: list[str], name: str, secret: SecretStr, read: Callable[[bytes], T]) -> T | None:
    """Return the key in a setting, or None if the setting is empty or wrong. A wrong one adds a line to `faults`."""
    if not secret.get_secret_value():
        return None
    try:
        return read(pem_of(secret))
    except ValueError as fault:  # `UnusableKey`, or invalid base64
        faults.append(f"{name}: {fault}")
        return None


def secret_key(settings: Settings, *, make: bool) -> str:
    """Return the secret that private keys are encrypted under: the setting, or the file in the data folder.

    `make`: create the file if neither is there and the database is a SQLite file of this machine. Raises
    `WrongSettings`.
    """
    if given := settings.secret_key.get_secret_value():
        return given
    path = _secret_file(settings)
    try:
        if make and settings.embedded and not path.exists():
            _make_secret(settings, path)
        text = _secret_in(path)
    except FileNotFoundError:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {_no_secret(settings, path)}") from None
    except OSError as fault:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {path}: {fault.strerror}") from None
    if len(text) < MIN_SECRET_CHARACTERS:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: in {path} there is no secret; put the copy of it there")
    return text


def _secret_in(path: Path) -> str:
    """Return the file's text; empty if the file is not UTF-8. Raises `OSError`, and `WrongSettings` if the path is a
    pipe or the like.
    """
    try:
        return read_bounded(path, _MAX_SECRET_BYTES).decode().strip()
    except UnicodeDecodeError:
        return ""
    except ValueError as fault:
        raise WrongSettings(f"VESTIBULE_SECRET_KEY: {path} {fault}") from None


def _no_secret(settings: Settings, path: Path) -> str:
    if settings.embedded:
        return f"is not set, and there is no {path} yet; start vestibule serve once, which makes it, or set it"
    return (
        "is needed, because the keys in this database are sealed under it: the same on every machine; where there is "
        'none yet, make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
    )


def _another_secret(settings: Settings) -> str:
    under = "is not the one that the keys in this database were sealed under"
    if settings.embedded:
        where = "" if settings.secret_key.get_secret_value() else f" in {_secret_file(settings)}"
        return f"{under}; put the copy of that back{where}, or {_LOST}"
    return (
        f"{under}; every machine on one database needs the same (the first one's may lie in its "
        f"{_secret_file(settings)})"
    )


def refuse_lost(settings: Settings) -> NoReturn:
    """Raise `WrongSettings`, because the database has encrypted keys and their secret is gone."""
    raise WrongSettings(
        "VESTIBULE_SECRET_KEY: is not set, and the one that the keys in this database are sealed under is not in "
        f"{_secret_file(settings)} any more; put the copy back there, or {_LOST}"
    )


def lacks_secret(settings: Settings) -> bool:
    """Return whether a secret is missing that may be made here: for a SQLite file, without keys in the settings."""
    given = settings.keys_are_given or settings.secret_key.get_secret_value()
    return settings.embedded and not given and not os.path.lexists(_secret_file(settings))


def _make_secret(settings: Settings, path: Path) -> None:
    """Create the file atomically, so that another process never finds a part of it."""
    make_folder(settings)
    with NamedTemporaryFile("w", dir=path.parent, prefix=".secret-") as file:  # 0600
        file.write(base64.urlsafe_b64encode(random_bytes(32)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)


def has_secret(settings: Settings) -> bool:
    """Return whether a secret exists; never creates one."""
    return bool(settings.secret_key.get_secret_value()) or _secret_file(settings).is_file()


def make_folder(settings: Settings) -> None:
    """Create the data folder, readable by its owner only; raises `WrongSettings`."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise WrongSettings(f"VESTIBULE_DATA: {settings.data.absolute()} is not a folder; name another") from None
    except OSError as fault:
        raise WrongSettings(
            f"VESTIBULE_DATA: cannot make {settings.data}: {fault.strerror}; name a folder that this user may write"
        ) from None


def _secret_file(settings: Settings) -> Path:
    return settings.data / "secret.key"
