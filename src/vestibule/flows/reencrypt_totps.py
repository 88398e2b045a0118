"""Re-encrypt the secrets of authenticator apps under the current secret, some in each transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.totp import Totp, open_secret, seal_secret

_BATCH = 500


@dataclass(frozen=True)
class Reencrypted:
    """The number of secrets that were encrypted anew, and of those that could not be opened."""

    secrets: int
    not_opened: int


async def reencrypt_totps(env: Env) -> Reencrypted:
    """Encrypt every secret anew. One that neither the current nor the previous secret opens stays as it is."""
    after, done, unopened = "", 0, 0
    while True:
        async with env.store.reading() as read:
            batch = await read.totps.sealed(after, _BATCH)
        if not batch:
            return Reencrypted(done, unopened)
        anew = _sealed_anew(env.seal, batch)
        await _store(env, anew)
        after, done, unopened = batch[-1].id, done + len(anew), unopened + len(batch) - len(anew)


def _sealed_anew(seal: Seal | None, totps: Sequence[Totp]) -> list[tuple[Totp, str]]:
    """Return the apps whose secret can be opened, each with its secret sealed anew."""
    anew = list[tuple[Totp, str]]()
    if seal is None:
        return anew
    for totp in totps:
        try:
            secret = open_secret(seal, totp)
        except CannotUnseal:
            continue
        anew.append((totp, seal_secret(seal, totp.id, secret)))
    return anew


@retry_on_conflict
async def _store(env: Env, anew: Sequence[tuple[Totp, str]]) -> None:
    async with env.store.transaction() as tx:
        for totp, sealed in anew:
            await tx.totps.reencrypt(totp.id, totp.sealed_secret, sealed)
