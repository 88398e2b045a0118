"""Check whether a mailed link still works, so that a page can say so before it asks for anything."""

from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.env import Env
from vestibule.model.one_time_tokens import OneTimeToken, Purpose


async def link_works(env: Env, secret: str, purpose: Purpose) -> bool:
    """Return whether a mailed secret can be spent on `purpose` now. Does not spend it, and tells no more than an
    attempt to spend it would.
    """
    if not is_secret(secret):
        return False
    async with env.store.reading() as read:
        return await read.one_time_tokens.usable(digest(secret), purpose, env.clock.now())


async def look_up_link(env: Env, secret: str, purpose: Purpose) -> OneTimeToken | None:
    """Return what is stored with a mailed secret, also if it is spent or expired; None if it is unknown, void or
    purged. Only a reader of the letter has the secret.
    """
    if not is_secret(secret):
        return None
    async with env.store.reading() as read:
        return await read.one_time_tokens.look_up(digest(secret), purpose)
