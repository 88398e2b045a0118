"""Ask for a letter by address: forgotten password, another verification link, a notice that the address is taken.

What is done here is the same for a known and an unknown address, statement by statement, so that neither words nor
time tell them apart. Whether there is anybody to write to is found out when the letter is sent.
"""

from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.limits import network_of
from vestibule.model.store import Transaction
from vestibule.model.visitors import Visitor


async def request_reset(env: Env, address: str, visitor: Visitor) -> None:
    """Mail a link for choosing a new password. Never tells whether there is an account, nor that a limit is reached."""
    await _ask(env, LetterKind.RESET_PASSWORD, address, visitor)


async def request_verification(env: Env, address: str, visitor: Visitor) -> None:
    """Mail another link that proves the address, if that is still to be done. Never tells whether it is."""
    await _ask(env, LetterKind.VERIFY_ADDRESS, address, visitor)


def to_whoever_has(address: str, kind: LetterKind, visitor: Visitor, now: datetime) -> QueuedLetter:
    """A letter for whoever has the address when it is sent, if anybody does."""
    detail = {"network_address": visitor.network_address}
    return QueuedLetter(new_id(), kind, now, address=address, language=visitor.language, detail=detail)


async def within_limits(
    env: Env, tx: Transaction, kind: LetterKind, address: str, visitor: Visitor, now: datetime
) -> bool:
    """Count one more letter of this kind to the address, and from the visitor's network; False if it is one too many
    (Forgot Password Cheat Sheet: nobody's mailbox is flooded).
    """
    limits = env.policy.letters
    for limit in limits.for_network:
        if not await tx.tallies.take(limit, network_of(visitor.network_address), now):
            return False
    for limit in limits.for_address:
        if not await tx.tallies.take(limit, f"{kind.value}:{address}", now):
            return False
    return True


@retry_on_conflict
async def _ask(env: Env, kind: LetterKind, address: str, visitor: Visitor) -> None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        if await within_limits(env, tx, kind, address, visitor, now):
            await tx.letters.queue(to_whoever_has(address, kind, visitor, now))
    env.letters_waiting.set()
