"""Register: somebody new gives a name, an address and a password, and is sent a link that proves the address."""

from vestibule.crypto.entropy import new_id
from vestibule.flows.ask_for_letter import to_whoever_has, within_limits
from vestibule.flows.env import Env
from vestibule.model.accounts import Account, Role
from vestibule.model.errors import AddressTaken
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.visitors import Visitor


async def register(env: Env, name: str, address: str, password: str, visitor: Visitor) -> Account:
    """The new account. `address` is canonical. Raises `AddressTaken`; where accounts are concealed, returns one that
    does not exist instead, tells the owner of the address, and takes the same steps for a known and an unknown one.
    """
    password_hash = await env.passwords.hash(password)
    now = env.clock.now()
    account = Account(
        id=new_id(),
        name=name,
        address=address,
        role=Role.USER,
        verified=False,
        created_at=now,
        updated_at=now,
        password_hash=password_hash,
        language=visitor.language,
    )
    concealing, taken = env.policy.conceal_accounts, LetterKind.ADDRESS_TAKEN
    async with env.store.transaction() as tx:
        added = await tx.accounts.add(account)
        may_tell = concealing and await within_limits(env, tx, taken, address, visitor, now)
        if added:
            await tx.letters.queue(QueuedLetter(new_id(), LetterKind.VERIFY_ADDRESS, now, account.id))
        elif may_tell:
            await tx.letters.queue(to_whoever_has(address, taken, visitor, now))
        await tx.events.record(
            Event(now, EventKind.REGISTERED, account_id=account.id, network_address=visitor.network_address)
            if added
            else Event(now, EventKind.REGISTRATION_REFUSED, network_address=visitor.network_address)
        )
    if not added and not concealing:
        raise AddressTaken
    env.letters_waiting.set()
    return account
