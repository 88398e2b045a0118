"""Check the secrets of authenticator apps: whether today's secret opens each of them."""

from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.model.findings import Finding, fault
from vestibule.model.totp import Totp, open_secret
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.storage.sql.engine import Engines
from vestibule.storage.sql.store import SqlStore
from vestibule.wiring.keys import open_seal

SUBJECT = "authenticator apps"
_BATCH = 500


async def check(settings: Settings, engines: Engines) -> list[Finding]:
    """Return a fault if the secret of an app cannot be opened."""
    try:
        seal = open_seal(settings)
    except WrongSettings:
        seal = None
    unopened, after = 0, ""
    while batch := await _batch(engines, after):
        unopened, after = unopened + sum(not _opens(seal, totp) for totp in batch), batch[-1].id
    return [_unopened(unopened)] if unopened else []


async def _batch(engines: Engines, after: str) -> list[Totp]:
    async with SqlStore(engines).reading() as read:
        return await read.totps.sealed(after, _BATCH)


def _opens(seal: Seal | None, totp: Totp) -> bool:
    """Return whether the seal opens the app's secret; False without a seal."""
    try:
        return seal is not None and bool(open_secret(seal, totp))
    except CannotUnseal:
        return False


def _unopened(count: int) -> Finding:
    return fault(
        SUBJECT,
        f"sealed under another secret than this machine's: {count}",
        "Their codes are answered with 503: their owners sign in with a recovery code or a passkey only.",
        "VESTIBULE_SECRET_KEY=… as it was, or VESTIBULE_SECRET_KEY_OLD=… and vestibule keys reencrypt; if it is lost, "
        "they sign in with a recovery code and add the app anew",
    )
