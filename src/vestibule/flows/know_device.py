"""Know a device: a browser that has signed in before keeps a secret, and one without it is worth a letter."""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.model.accounts import Account
from vestibule.model.devices import describe
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.store import Transaction
from vestibule.model.visitors import Visitor


async def is_familiar(read: Transaction, account: Account | None, visitor: Visitor) -> bool:
    """Whether the browser has signed in to the account before. Asks the same of an address without an account."""
    digests = [digest(secret) for secret in visitor.device_secrets if is_secret(secret)]
    return bool(digests) and await read.known_devices.knows(account.id if account else "", digests)


async def know_device(tx: Transaction, account: Account, visitor: Visitor, now: datetime) -> str | None:
    """The secret for a new device to keep; None for a known one. Inside the transaction that opens the session.

    Tells the owner of a new device, unless it is the first, or looks and stands just like one that was here before:
    programs keep no cookies.
    """
    for secret in filter(is_secret, visitor.device_secrets):
        if await tx.known_devices.seen(account.id, digest(secret), now):
            return None
    strange = await tx.known_devices.any(account.id)
    if strange and not await tx.sessions.had(account.id, visitor.device, now):
        await tx.letters.queue(
            QueuedLetter(
                new_id(),
                LetterKind.NEW_DEVICE,
                now,
                account.id,
                language=visitor.language,
                detail=circumstances(visitor, now),
            )
        )
    secret = mint_secret()
    await tx.known_devices.add(account.id, digest(secret), now)
    return secret


def circumstances(visitor: Visitor, now: datetime) -> dict[str, str]:
    """From where and when something was done, for the letter that tells of it."""
    return {
        "at": now.isoformat(timespec="seconds"),
        "device": describe(visitor.device.user_agent),
        "network_address": visitor.network_address,
    }
