"""My letters: what was mailed to me lately."""

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.model.letters import LetterKind

_LOOKED_AT = 20


async def was_mailed_a_link(env: Env, caller: Caller) -> bool:
    """Return whether a link that verifies the caller's email was mailed, or waits to be. Someone who was imported got
    none.
    """
    async with env.store.reading() as read:
        letters = await read.letters.latest_of(caller.account.id, _LOOKED_AT)
    return any(letter.kind is LetterKind.VERIFY_EMAIL for letter in letters)
