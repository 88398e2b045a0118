"""Re-encrypt the secrets of authenticator apps under the current VESTIBULE_SECRET_KEY, a batch in each transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.totp import Totp, open_secret, seal_secret

_BATCH = 500  # apps


@dataclass(frozen=True)
class Reencrypted:
    """How many secrets were re-encrypted, and how many could not be opened."""

    secrets: int
    not_opened: int


async def reencrypt_totps(env: Env) -> Reencrypted:
    """Re-encrypt every secret that the current or the previous key opens; leave the others as they are. Return the
    numbers of both.
    """
    after, done, unopened = "", 0, 0
    while True:
        async with env.store.reading() as read:
            batch = await read.totps.sealed(after, _BATCH)
        if not batch:
            return Reencrypted(done, unopened)
        resealed = _resealed(env.seal, batch)
        await _store(env, resealed)
        after, done, unopened = batch[-1].id, done + len(resealed), unopened + len(batch) - len(resealed)


def _resealed(seal: Seal | None, totps: Sequence[Totp]) -> list[tuple[Totp, str]]:
    """Return the apps whose secret can be opened, each with its secret sealed again."""
    resealed = list[tuple[Totp, str]]()
    if seal is None:
        return resealed
    for totp in totps:
        try:
            secret = open_secret(seal, totp)
        except CannotUnseal:
            continue
        resealed.append((totp, seal_secret(seal, totp.id, secret)))
    return resealed


@retry_on_conflict
async def _store(env: Env, resealed: Sequence[tuple[Totp, str]]) -> None:
    async with env.store.transaction() as tx:
        for totp, sealed in resealed:
            await tx.totps.reencrypt(totp.id, totp.sealed_secret, sealed)
