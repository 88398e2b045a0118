"""My passkeys: list the caller's passkeys, rename one, and remove one."""

from collections.abc import Sequence

from vestibule.crypto.entropy import is_id
from vestibule.flows.announce import announce
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.my_factors import note_removed
from vestibule.flows.reauthenticate import lock_recent
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import PasskeyUnknown
from vestibule.model.factors import FactorKind
from vestibule.model.passkeys import Passkey
from vestibule.model.revocations import Revocation


async def list_passkeys(env: Env, caller: Caller) -> Sequence[Passkey]:
    """Return the caller's passkeys, the oldest first."""
    async with env.store.reading() as read:
        return await read.passkeys.of_account(caller.account.id)


async def is_known(env: Env, credential_id: str) -> bool:
    """Return whether anybody has a passkey with this credential. A page asks before it tells a password manager that
    the credential was removed.
    """
    async with env.store.reading() as read:
        return await read.passkeys.with_credential(credential_id) is not None


@retry_on_conflict
async def rename_passkey(env: Env, caller: Caller, passkey_id: str, name: str) -> None:
    """Rename one of the caller's passkeys. Raises `PasskeyUnknown` if it is not the caller's,
    `ReauthenticationRequired` and `SessionOver`.
    """
    now, account_id = env.clock.now(), caller.account.id
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        if not (is_id(passkey_id) and await tx.passkeys.rename(account_id, passkey_id, name)):
            raise PasskeyUnknown


async def remove_passkey(
    env: Env, caller: Caller, passkey_id: str, client_info: ClientInfo, *, end_others: bool = False
) -> Passkey:
    """Remove one of the caller's passkeys and return it; end the other sessions in which a passkey of the same method
    (RFC 8176: `swk` or `hwk`) proved a second factor. `end_others`: end all others too. Raises `PasskeyUnknown` if the
    passkey is not the caller's, `LastFactor`, `ReauthenticationRequired` and `SessionOver`.
    """
    removed, revoked = await _remove(env, caller, passkey_id, client_info, end_others=end_others)
    env.letters_waiting.set()
    await announce(env, revoked)
    return removed


@retry_on_conflict
async def _remove(
    env: Env, caller: Caller, passkey_id: str, client_info: ClientInfo, *, end_others: bool
) -> tuple[Passkey, Sequence[Revocation]]:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_recent(env, tx, caller, now)
        removed = await tx.passkeys.remove(caller.account.id, passkey_id) if is_id(passkey_id) else None
        if removed is None:
            raise PasskeyUnknown
        kind, method = FactorKind.PASSKEY, removed.key_method
        return removed, await note_removed(env, tx, caller, kind, method, client_info, now, end_others=end_others)
