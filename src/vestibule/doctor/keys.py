"""Check the signing keys: present, decryptable with today's secret, strong, and not too old."""

from collections.abc import Iterator
from datetime import timedelta

from vestibule.crypto.jwk import RS256, PrivateKey, UnusableKey
from vestibule.crypto.seal import CannotUnseal
from vestibule.model.clock import Clock
from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.model.signing_keys import KeyManager, KeyState, KeyUse, SealedKey
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.store import SqlStore
from vestibule.wiring.keys import given_keys, open_key_manager
from vestibule.wiring.secret import has_secret

SUBJECT = "keys"
_OLD = timedelta(days=365)
_STRONG_BITS = 3072
_ONE_SECRET = "The server does not start: every machine on one database needs the same secret."


async def check(settings: Settings, clock: Clock, engines: Engines) -> list[Finding]:
    """Return findings about the keys in the settings, or else those in the database."""
    if settings.keys_are_given:
        return _given(settings)
    async with SqlStore(engines).reading() as read:
        stored = [key for key in await read.signing_keys.all() if key.state is not KeyState.GONE]
    if not stored and (settings.embedded or has_secret(settings)):
        return [fine(SUBJECT, "none yet; the first start makes them")]
    if not stored:
        return [_first_secret()]
    if not has_secret(settings):
        return [_wrong_secret("there are sealed keys, but no secret to open them with")]
    try:
        key_manager = open_key_manager(settings)
    except WrongSettings as reason:
        return [_wrong_secret(str(reason))]
    # There is a key manager, because the settings do not give the keys.
    return _stored(clock, stored, key_manager) if key_manager else []


def _given(settings: Settings) -> list[Finding]:
    try:
        ring = given_keys(settings)
    except WrongSettings as reason:
        return [fault(SUBJECT, str(reason), "The server does not start.", "vestibule keys generate")]
    return [*_strength(min(ring.access.signing.public.rsa_bits, ring.refresh.signing.public.rsa_bits), given=True)]


def _stored(clock: Clock, stored: list[SealedKey], key_manager: KeyManager) -> list[Finding]:
    opened, damaged = list[PrivateKey](), list[SealedKey]()
    for key in stored:
        try:
            opened.append(key_manager.open(key))
        except (CannotUnseal, UnusableKey):
            damaged.append(key)
    if not opened:
        return [_wrong_secret("the keys were sealed under another secret than this machine's")]
    bits = min(key.public.rsa_bits for key in opened)
    return [*map(_damaged, damaged), *_strength(bits, given=False), *_age(clock, stored), *_slow_refresh_key(stored)]


def _damaged(key: SealedKey) -> Finding:
    return fault(
        SUBJECT,
        f"the {key.state.value} {key.use.value} key {key.kid} cannot be opened: damaged, or under another secret",
        "It signs nothing, and the tokens it signed are refused. If it is the current key, the next one signs instead.",
        f"vestibule keys rotate --use {key.use.value} --now"
        if key.state is KeyState.CURRENT
        else f"vestibule keys withdraw {key.kid} --now",
    )


def _first_secret() -> Finding:
    return fault(
        SUBJECT,
        "there are no keys yet, and no secret to seal them under",
        _ONE_SECRET,
        'VESTIBULE_SECRET_KEY=…, made once by python3 -c "import secrets; print(secrets.token_urlsafe(32))", and the '
        "same on every machine",
    )


def _wrong_secret(what: str) -> Finding:
    return fault(
        SUBJECT,
        what,
        _ONE_SECRET,
        "VESTIBULE_SECRET_KEY=… as on the other machines, or as in the secret.key of the first one; if it is lost, see "
        "Backup in docs/operating.md",
    )


def _strength(bits: int, *, given: bool) -> Iterator[Finding]:
    if bits >= _STRONG_BITS:
        yield fine(SUBJECT, f"keys as strong as RSA with {bits} bits, or stronger")
        return
    renew = "VESTIBULE_SIGNING_ALGORITHM=RS256, and vestibule keys rotate until the short keys have retired"
    yield hint(
        SUBJECT,
        f"a key has {bits} bits",
        "2048 bits will do for a few more years; NIST SP 800-57 asks for 3072 from 2031 on.",
        "vestibule keys generate" if given else renew,
    )


def _age(clock: Clock, stored: list[SealedKey]) -> Iterator[Finding]:
    for key in stored:
        age = clock.now() - key.state_since
        if key.state is not KeyState.CURRENT or age <= _OLD:
            continue
        yield warning(
            SUBJECT,
            f"the {key.use.value} key has signed for {age.days} days",
            "The longer a key signs, the more a stolen copy of it is worth.",
            "run vestibule keys rotate every few months",
        )


def _slow_refresh_key(stored: list[SealedKey]) -> Iterator[Finding]:
    """Yield a hint if refresh tokens are still signed with RSA, as before decision 0038."""
    refresh = {key.state: key.alg for key in stored if key.use is KeyUse.REFRESH}
    if refresh.get(KeyState.CURRENT) != RS256:
        return
    times = "twice: the first time, the RSA key that is ready signs" if refresh.get(KeyState.NEXT) == RS256 else "once"
    yield hint(
        SUBJECT,
        "refresh tokens are signed with an RSA key",
        "Each sign-in and each refresh takes about a millisecond more CPU than with Ed25519, as new keys have it.",
        f"vestibule keys rotate --use refresh, {times}",
    )
