"""Deliver: take a letter from the outbox, make its link, hand it over, and only then cross it off.

A crash anywhere leaves the letter in the outbox, and its lease lets another worker take it: at least once.
"""

import structlog

from vestibule.crypto.entropy import spread
from vestibule.crypto.opaque import digest, mint_secret
from vestibule.flows.env import Env
from vestibule.model.accounts import Account
from vestibule.model.letters import TOKEN_IN, Letter, LetterKind, NotSent, QueuedLetter, retry_after
from vestibule.model.one_time_tokens import issue

_PATHS = {
    LetterKind.VERIFY_ADDRESS: "verifyemail",
    LetterKind.RESET_PASSWORD: "resetpassword",
}
_log = structlog.get_logger(__name__)


async def deliver_next(env: Env) -> bool:
    """Deliver one due letter; False if none was due."""
    async with env.store.transaction() as tx:
        queued = await tx.letters.claim(env.clock.now())
    if queued is None:
        return False
    letter = await _compose(env, queued)
    if letter is None:
        await _settle(env, queued)
        return True
    try:
        await env.post.send(letter)
    except NotSent as fault:
        await _put_off(env, queued, str(fault))
    else:
        await _settle(env, queued)
    return True


async def _compose(env: Env, queued: QueuedLetter) -> Letter | None:
    """The letter with a link made now, so that it cannot arrive dead; None if nobody needs it any more."""
    secret, now = mint_secret(), env.clock.now()
    purpose = TOKEN_IN[queued.kind]
    async with env.store.transaction() as tx:
        account = await tx.accounts.get(queued.account_id)
        if account is None or _needless(queued, account):
            return None
        await tx.one_time_tokens.replace(issue(digest(secret), account.id, purpose, account.address, now))
    link = f"{env.policy.link_base}/{_PATHS[queued.kind]}/{secret}"
    return Letter(queued.id, queued.kind, account.address, account.name, link)


def _needless(queued: QueuedLetter, account: Account) -> bool:
    already_proven = queued.kind is LetterKind.VERIFY_ADDRESS and account.verified
    return already_proven or account.disabled_at is not None


async def _settle(env: Env, queued: QueuedLetter) -> None:
    async with env.store.transaction() as tx:
        await tx.letters.settle(queued.id, env.clock.now())


async def _put_off(env: Env, queued: QueuedLetter, fault: str) -> None:
    wait = retry_after(queued.attempts)
    _log.warning("letter_put_off", letter=queued.id, kind=queued.kind, attempts=queued.attempts, fault=fault)
    async with env.store.transaction() as tx:
        await tx.letters.put_off(queued.id, env.clock.now() + spread(1.0) * wait, fault)
