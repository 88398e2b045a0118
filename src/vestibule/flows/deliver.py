"""Deliver: claim a letter in the outbox, compose it, hand it to the mail server, and only then settle it.

After a crash the letter is still in the outbox, and another worker takes it when its lease is over. So every letter is
sent at least once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from vestibule.crypto.entropy import spread
from vestibule.flows.compose_letter import compose_letter
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.errors import StoreUnavailable
from vestibule.model.events import REQUEST_ID, Event, EventKind
from vestibule.model.letters import Letter, NotSent, QueuedLetter, RefusedForGood
from vestibule.model.outbox import GIVE_UP_AFTER, LEASE, Delivery, retry_after

# Ends well before the lease does: after the lease, another worker sends the letter as well.
_HAND_OVER_SECONDS = LEASE.total_seconds() * 0.75
_SETTLE_TRIES = 20
_TRY_AGAIN_SECONDS = 0.5  # with 20 tries ten seconds, so that they end before the lease does
_GIVE_BACK_SECONDS = 1.0
_STOPPED_FAULT = "the server was stopped before the mail server had answered"
_log = structlog.get_logger(__name__)


async def deliver_next(env: Env) -> Delivery | None:
    """Deliver one due letter; return what became of it, or None if none was due."""
    queued = await _claim(env)
    return await deliver(env, queued) if queued is not None else None


async def deliver(env: Env, queued: QueuedLetter) -> Delivery:
    """Deliver a claimed letter; return what became of it. Events and log lines carry the id of the request that queued
    it.
    """
    request_id = queued.detail.get(REQUEST_ID)
    bound = {} if request_id is None else {REQUEST_ID: request_id}
    with bound_contextvars(**bound):
        async with _given_back_if_stopped(env, queued):
            letter = await compose_letter(env, queued)
        return await _hand_over(env, queued, letter) if letter is not None else Delivery.NOBODY


@retry_on_conflict
async def _claim(env: Env) -> QueuedLetter | None:
    async with env.store.transaction() as tx:
        return await tx.letters.claim(env.clock.now())


async def _hand_over(env: Env, queued: QueuedLetter, letter: Letter) -> Delivery:
    try:
        async with _given_back_if_stopped(env, queued), asyncio.timeout(_HAND_OVER_SECONDS):
            await env.mailer.send(letter)
    except RefusedForGood as fault:
        return await _refuse(env, queued, letter.account_id, str(fault))
    except (NotSent, TimeoutError) as fault:
        return await _put_off(env, queued, letter.account_id, str(fault) or "the mail server took too long")
    await _settle(env, queued, letter.account_id)
    return Delivery.SENT


@asynccontextmanager
async def _given_back_if_stopped(env: Env, queued: QueuedLetter) -> AsyncIterator[None]:
    """Make the letter due again if the block is cancelled, so that another process need not wait for the end of its
    lease; then raise the cancellation again. For blocks that may take longer than a stopping process can wait.
    """
    try:
        yield
    except asyncio.CancelledError:
        _log.warning(
            "letter_put_off", letter=queued.id, kind=queued.kind, attempts=queued.attempts, fault=_STOPPED_FAULT
        )
        try:
            async with asyncio.timeout(_GIVE_BACK_SECONDS):
                await _put_off_until(env, queued, env.clock.now(), _STOPPED_FAULT)
        except (StoreUnavailable, TimeoutError):
            _log.warning("letter_not_given_back", letter=queued.id)  # the letter is due when its lease is over
        raise


async def _settle(env: Env, queued: QueuedLetter, account_id: str | None) -> None:
    """Settle the letter; while the database is unavailable, try again, because a letter not settled is sent twice.
    Raises `StoreUnavailable` after the last try.
    """
    for _ in range(_SETTLE_TRIES - 1):
        try:
            return await _try_to_settle(env, queued, account_id)
        except StoreUnavailable:
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
    return await _try_to_settle(env, queued, account_id)


@retry_on_conflict
async def _try_to_settle(env: Env, queued: QueuedLetter, account_id: str | None) -> None:
    async with env.store.transaction() as tx:
        account = await tx.accounts.lock(account_id) if account_id else None
        await tx.letters.settle(queued, env.clock.now(), account.id if account else None, sent=True)


async def _put_off(env: Env, queued: QueuedLetter, account_id: str | None, fault: str) -> Delivery:
    now = env.clock.now()
    if now - queued.created_at > GIVE_UP_AFTER:
        return await _refuse(env, queued, account_id, f"given up after {GIVE_UP_AFTER.days} days: {fault}")
    wait = spread(1.0) * retry_after(queued.attempts)
    _log.warning("letter_put_off", letter=queued.id, kind=queued.kind, attempts=queued.attempts, fault=fault)
    await _put_off_until(env, queued, now + wait, fault)
    return Delivery.PUT_OFF


@retry_on_conflict
async def _put_off_until(env: Env, queued: QueuedLetter, due_at: datetime, fault: str) -> None:
    async with env.store.transaction() as tx:
        await tx.letters.put_off(queued, due_at, fault)


@retry_on_conflict
async def _refuse(env: Env, queued: QueuedLetter, account_id: str | None, fault: str) -> Delivery:
    now, detail = env.clock.now(), {"letter": queued.id, "kind": queued.kind.value, "fault": fault}
    async with env.store.transaction() as tx:
        if account_id:
            await tx.accounts.lock(account_id)
        await tx.letters.refuse(queued, now, fault)
        await tx.events.record(Event(now, EventKind.LETTER_REFUSED, account_id, detail=detail))
    return Delivery.REFUSED
