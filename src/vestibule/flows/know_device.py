"""Know a device: a browser that signed in keeps a secret. A letter tells the owner of a sign-in without that secret."""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret, mint_secret
from vestibule.flows.tell_owner import tell_owner
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DEVICES_OF_ACCOUNT, DeviceSecret, describe
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.login_attempts import emptiest_place
from vestibule.model.store import Ports


async def place_of(read: Ports, account: Account | None, client_info: ClientInfo) -> int | None:
    """Return the place of the browser among the account's known devices, which is the number of its attempt counter;
    None if it is not a known device. Reads nothing if the request has no secret for the account.
    """
    if account is None:
        return None
    digests = [digest(secret) for secret in client_info.secrets_for(account.id) if is_secret(secret)]
    return await read.known_devices.place(account.id, digests) if digests else None


async def know_device(tx: Ports, account: Account, client_info: ClientInfo, now: datetime) -> tuple[DeviceSecret, bool]:
    """Return the secret for the device to keep, and whether it is a new one. Call it inside the transaction that opens
    the session.

    Tell the owner about a new device, except about the account's first one, and one whose program and network address
    had a session before: programs that are not browsers keep no cookies. If the account then has too many known
    devices, delete those unseen for longest.
    """
    for secret in filter(is_secret, client_info.secrets_for(account.id)):
        if await tx.known_devices.seen(account.id, digest(secret), now):
            return DeviceSecret(account.id, secret), False
    places = await tx.known_devices.places(account.id)
    if places and not await tx.sessions.seen_on_device(account.id, client_info.device, now):
        await _tell_owner(tx, account.id, client_info, now)
    if (excess := sum(places.values()) + 1 - DEVICES_OF_ACCOUNT) > 0:
        await tx.known_devices.delete_longest_unseen(account.id, excess)
    return await _add(tx, account.id, emptiest_place(places), now), True


async def _tell_owner(tx: Ports, account_id: str, client_info: ClientInfo, now: datetime) -> None:
    detail = circumstances(client_info, now)
    await tell_owner(
        tx,
        QueuedLetter(new_id(), LetterKind.NEW_DEVICE, now, account_id, language=client_info.language, detail=detail),
    )


async def know_only_this_device(tx: Ports, account_id: str, now: datetime) -> DeviceSecret:
    """Make the browser that has just set the password the only known device; return its secret. Call it inside that
    transaction, after `end_trust`, which has deleted all known devices.
    """
    return await _add(tx, account_id, emptiest_place({}), now)


async def delete_other_devices(tx: Ports, account_id: str, client_info: ClientInfo, now: datetime) -> None:
    """Delete the account's known devices, except this browser if it is one. Call it inside the transaction that adds
    the first second factor: devices known before it have only shown a password.
    """
    secrets = filter(is_secret, client_info.secrets_for(account_id))
    known = [secret for secret in secrets if await tx.known_devices.seen(account_id, digest(secret), now)]
    await tx.known_devices.delete_of(account_id)
    for secret in known[:1]:
        await tx.known_devices.add(account_id, digest(secret), now, emptiest_place({}))


async def _add(tx: Ports, account_id: str, place: int, now: datetime) -> DeviceSecret:
    secret = mint_secret()
    await tx.known_devices.add(account_id, digest(secret), now, place)
    return DeviceSecret(account_id, secret)


def circumstances(client_info: ClientInfo, now: datetime) -> dict[str, str]:
    """Return the part of a letter's detail that says when something was done, on which device, and from which network
    address.
    """
    return {
        "at": now.isoformat(timespec="seconds"),
        "device": describe(client_info.device.user_agent),
        "network_address": client_info.network_address,
    }
