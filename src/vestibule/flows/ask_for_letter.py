"""Ask for a letter by email: password reset, another verification link, a notice that the email is taken.

What is done here is the same for a known and an unknown email, statement by statement, so that neither words nor
time tell them apart. Whether there is anybody to write to is found out when the letter is sent.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.know_device import place_of
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.letters import WORKS_FOR, LetterKind, QueuedLetter
from vestibule.model.limits import LetterLimits, Limit, network_of
from vestibule.model.store import Transaction


async def request_reset(env: Env, email: str, client_info: ClientInfo) -> None:
    """Mail a link for choosing a new password. Never tells whether there is an account, nor that a limit is reached."""
    await _ask(env, LetterKind.RESET_PASSWORD, email, client_info)


async def request_verification(env: Env, email: str, client_info: ClientInfo) -> None:
    """Mail another link that verifies the email, if that is still to be done. Never tells whether it is."""
    await _ask(env, LetterKind.VERIFY_EMAIL, email, client_info)


def to_whoever_has(
    email: str, kind: LetterKind, client_info: ClientInfo, now: datetime, works: timedelta = timedelta()
) -> QueuedLetter:
    """Return a letter for the account that has the email when it is sent, if there is one. Its link works for `works`
    at least.
    """
    detail = {"network_address": client_info.network_address, WORKS_FOR: str(int(works.total_seconds()))}
    return QueuedLetter(new_id(), kind, now, email=email, language=client_info.language, detail=detail)


async def within_limits(
    env: Env, tx: Transaction, kind: LetterKind, email: str, client_info: ClientInfo, now: datetime
) -> timedelta | None:
    """Count one more letter of this kind to the email, and from the client's network; return how long its link has to
    work. Return None, and count nothing, if it is one too many (Forgot Password Cheat Sheet: nobody's mailbox is
    flooded): then the link in the last one works still.
    """
    limits, network = env.policy.letters, network_of(client_info.network_address)
    if not await tx.rate_counters.take(limits.for_network, network, now):
        return None
    letters = await tx.rate_counters.space(limits.to_email, f"{kind.value}:{email}", now)
    if letters is None:
        await tx.rate_counters.give_back(limits.for_network, network)
        return None
    return limits.to_email.after(letters)


async def within_its_share(
    env: Env, tx: Transaction, kind: LetterKind, account_id: str, email: str, client_info: ClientInfo, now: datetime
) -> bool:
    """Count one more letter that an account asks for, and that no other account's replaces, by the account and the
    email; return False, and count it neither for the network nor for the account, if it is one too many.

    The first few in a day wait for nobody else's; the others share what the email may get from all in a day. To all
    emails together, an account sends as many in a day as one email may get.
    """
    limits, network = env.policy.letters, network_of(client_info.network_address)
    in_all = replace(limits.to_mailbox, name="letters_of_account")
    if not await tx.rate_counters.take(limits.for_network, network, now):
        return False
    if await tx.rate_counters.take(in_all, account_id, now):
        if await _may_get(tx, limits, f"{kind.value}:{account_id}:{email}", f"{kind.value}:{email}", now):
            return True
        await tx.rate_counters.give_back(in_all, account_id)
    await tx.rate_counters.give_back(limits.for_network, network)
    return False


async def _may_get(tx: Transaction, limits: LetterLimits, its: str, of_all: str, now: datetime) -> bool:
    """Return whether an email may get one more of what an account asks for, out of its share or of what is for all."""
    share = Limit("letters_share", limits.to_email.at_once, limits.to_email.counted)
    return await tx.rate_counters.space(limits.to_email, its, now) is not None and (
        await tx.rate_counters.take(share, its, now) or await tx.rate_counters.take(limits.to_mailbox, of_all, now)
    )


async def for_new_account(env: Env, tx: Transaction, email: str, now: datetime) -> bool:
    """Count the letter that verifies the email of a new account; return False if it is one too many. Others are not
    counted here, because nobody had the email: a person who deletes an account and registers it again, over and over,
    sends no more than anybody who asks for another letter.
    """
    spacing = env.policy.letters.to_email
    return await tx.rate_counters.take(Limit("letters_new_account", spacing.at_once, spacing.counted), email, now)


async def allow_reset_at_once(env: Env, tx: Transaction, email: str) -> None:
    """Let a reset be asked for at once, because the person who reads the mail there has just used a link, or all links
    are dead.
    """
    await tx.rate_counters.clear(env.policy.letters.to_email, f"{LetterKind.RESET_PASSWORD.value}:{email}")


@retry_on_conflict
async def _ask(env: Env, kind: LetterKind, email: str, client_info: ClientInfo) -> None:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        device = await _known_device(tx, email, client_info)
        if device is not None:
            works = await _within_its_own(env, tx, f"{kind.value}:{email}", device, now)
        else:
            works = await within_limits(env, tx, kind, email, client_info, now)
        if works is not None:
            await tx.letters.queue(to_whoever_has(email, kind, client_info, now, works))
    env.letters_waiting.set()


async def _known_device(tx: Transaction, email: str, client_info: ClientInfo) -> int | None:
    """Return the place of the device that asks, if the account knows it. Reads nothing for a client without secrets."""
    if not client_info.device_secrets:
        return None
    return await place_of(tx, await tx.accounts.with_email(email), client_info)


async def _within_its_own(env: Env, tx: Transaction, subject: str, place: int, now: datetime) -> timedelta | None:
    """Count one more letter that a known device asks for; return how long its link has to work, or None if it is one
    too many.

    What strangers have asked for does not count against it. Its letter counts against theirs, so that none of theirs
    kills its link at once.
    """
    spacing = env.policy.letters.to_email
    mine = await tx.rate_counters.space(spacing, f"{subject}:{place}", now)
    if mine is None:
        return None
    theirs = await tx.rate_counters.space(spacing, subject, now, due=False)
    return max(spacing.after(mine), spacing.after(theirs or 1))
