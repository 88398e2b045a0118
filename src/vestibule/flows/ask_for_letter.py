"""Ask for a letter by email: password reset, another verification link, a code, a notice that the email is taken.

A known and an unknown email run the same statements here, so that neither the answer nor its time tells them apart. The
account is looked up later, when the letter is sent.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from vestibule.crypto.entropy import new_id
from vestibule.flows.env import Env
from vestibule.flows.know_device import place_of
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.client_info import ClientInfo
from vestibule.model.letters import RETURN_TO, WORKS_FOR, LetterKind, QueuedLetter
from vestibule.model.limits import LetterLimits, Limit, network_of, wide_network_of
from vestibule.model.store import Ports


async def request_reset(env: Env, email: str, client_info: ClientInfo) -> None:
    """Mail a link for choosing a new password. Does not tell whether the email has an account, or that a limit is
    reached.
    """
    await queue_if_allowed(env, LetterKind.RESET_PASSWORD, email, client_info)


async def request_verification(env: Env, email: str, client_info: ClientInfo) -> None:
    """Mail another link that verifies the email, if its account is still unverified. Does not tell whether it is."""
    await queue_if_allowed(env, LetterKind.VERIFY_EMAIL, email, client_info)


@retry_on_conflict
async def queue_if_allowed(
    env: Env, kind: LetterKind, email: str, client_info: ClientInfo, detail: Mapping[str, str] | None = None
) -> bool:
    """Queue a letter of this kind for the account that has the email when it is sent, with `detail`. Return False, and
    queue nothing, if the letter is one too many.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        place = await _place_of_device(tx, email, client_info)
        if place is not None:
            link_lifetime = await _count_letter_of_device(env, tx, f"{kind.value}:{email}", place, now)
        elif kind is LetterKind.SIGN_IN_CODE:
            link_lifetime = await _count_code(env, tx, email, client_info, now)
        else:
            link_lifetime = await count_letter_to_email(env, tx, kind, email, client_info, now)
        if link_lifetime is not None:
            letter = letter_by_email(email, kind, client_info, now, link_lifetime)
            await tx.letters.queue(replace(letter, detail={**letter.detail, **(detail or {})}))
    env.letters_waiting.set()
    return link_lifetime is not None


async def _place_of_device(tx: Ports, email: str, client_info: ClientInfo) -> int | None:
    """Return the place of the device that asks; None if it is not a known device (`place_of`). Reads nothing if the
    client sent no device secret.
    """
    if not client_info.device_secrets:
        return None
    return await place_of(tx, await tx.accounts.with_email(email), client_info)


async def _count_letter_of_device(env: Env, tx: Ports, subject: str, place: int, now: datetime) -> timedelta | None:
    """Count one more letter that a known device asks for; return how long its link has to work, or None if it is one
    too many.

    Letters that strangers asked for do not count against the device. The device's letter does count against strangers:
    their next letter voids the device's link, and must not do so at once.
    """
    spacing = env.policy.letters.to_email
    by_device = await tx.rate_counters.take_spaced(spacing, f"{subject}:{place}", now)
    if by_device is None:
        return None
    by_strangers = await tx.rate_counters.take_spaced(spacing, subject, now, enforce=False)  # so never None
    return max(spacing.after(by_device), spacing.after(by_strangers or 1))


async def _count_code(env: Env, tx: Ports, email: str, client_info: ClientInfo, now: datetime) -> timedelta | None:
    """Count one more code for a device that is not known, as `count_letter_to_email` does, but by email and network. A
    code works only in the browser that asked for it, so nobody has to wait because a stranger elsewhere asked for one.
    """
    limits, network = env.policy.letters, network_of(client_info.network_address)
    if not await tx.rate_counters.take(limits.for_network, network, now):
        return None
    if await tx.rate_counters.take(limits.codes_a_day, email, now):
        codes = await tx.rate_counters.take_spaced(limits.codes, asker_of_code(email, client_info.network_address), now)
        if codes is not None:
            return limits.codes.after(codes)
        await tx.rate_counters.give_back(limits.codes_a_day, email)
    await tx.rate_counters.give_back(limits.for_network, network)
    return None


def asker_of_code(email: str, network_address: str) -> str:
    """Return the subject of the counter of codes: the email and the network that asks."""
    return f"{email} {wide_network_of(network_address)}"


def letter_by_email(
    email: str, kind: LetterKind, client_info: ClientInfo, now: datetime, link_lifetime: timedelta = timedelta()
) -> QueuedLetter:
    """Return a letter for the account that will have this email when the letter is sent, if any. The link in the letter
    works for at least `link_lifetime`.
    """
    detail = {"network_address": client_info.network_address, WORKS_FOR: str(int(link_lifetime.total_seconds()))}
    detail |= going_to(client_info.return_to)
    return QueuedLetter(new_id(), kind, now, email=email, language=client_info.language, detail=detail)


def going_to(return_to: str | None) -> dict[str, str]:
    """Return the part of a letter's detail that keeps where the person was going; empty if there is nothing to keep."""
    return {RETURN_TO: return_to} if return_to else {}


async def count_letter_to_email(
    env: Env, tx: Ports, kind: LetterKind, email: str, client_info: ClientInfo, now: datetime
) -> timedelta | None:
    """Count one more letter of this kind to the email, and from the client's network. Return how long its link has to
    work; if the letter is one too many, return None and count nothing. The limit keeps mailboxes from being flooded
    (OWASP, Forgot Password Cheat Sheet).
    """
    limits, network = env.policy.letters, network_of(client_info.network_address)
    if not await tx.rate_counters.take(limits.for_network, network, now):
        return None
    letters = await tx.rate_counters.take_spaced(limits.to_email, f"{kind.value}:{email}", now)
    if letters is None:
        await tx.rate_counters.give_back(limits.for_network, network)
        return None
    return limits.to_email.after(letters)


async def count_letter_of_account(
    env: Env, tx: Ports, kind: LetterKind, account_id: str, email: str, client_info: ClientInfo, now: datetime
) -> bool:
    """Count one more letter of this kind that an account asks for, to an email. Return False, and count it neither for
    the network nor for the account, if it is one too many.

    An account may send a few letters to an email whatever other accounts send there. Further ones count towards a daily
    limit that all accounts share for that email. To all emails together, an account may send as many a day as that
    limit allows.
    """
    limits, network = env.policy.letters, network_of(client_info.network_address)
    for_account = replace(limits.to_mailbox, name="letters_of_account")
    if not await tx.rate_counters.take(limits.for_network, network, now):
        return False
    if await tx.rate_counters.take(for_account, account_id, now):
        if await _count_to_email(tx, limits, f"{kind.value}:{account_id}:{email}", f"{kind.value}:{email}", now):
            return True
        await tx.rate_counters.give_back(for_account, account_id)
    await tx.rate_counters.give_back(limits.for_network, network)
    return False


async def _count_to_email(tx: Ports, limits: LetterLimits, own: str, shared: str, now: datetime) -> bool:
    """Count one more letter by the spacing of this account's letters to this email (`own`), then by the account's
    share, or else by the limit for all accounts together (`shared`). Return False if it is one too many.
    """
    share = Limit("letters_share", limits.to_email.first_few, limits.to_email.forgotten_after)
    if await tx.rate_counters.take_spaced(limits.to_email, own, now) is None:
        return False
    return await tx.rate_counters.take(share, own, now) or await tx.rate_counters.take(limits.to_mailbox, shared, now)


async def count_letter_of_new_account(env: Env, tx: Ports, email: str, now: datetime) -> bool:
    """Count the letter that verifies the email of a new account; return False if it is one too many. Without this
    limit, a person could delete and register an account again and again, with a letter each time.
    """
    spacing = env.policy.letters.to_email
    return await tx.rate_counters.take(
        Limit("letters_new_account", spacing.first_few, spacing.forgotten_after), email, now
    )


async def allow_reset_at_once(env: Env, tx: Ports, email: str) -> None:
    """Let the next reset be asked for without a wait. Call it when a reset link was used, or all of them are void."""
    await tx.rate_counters.clear(env.policy.letters.to_email, f"{LetterKind.RESET_PASSWORD.value}:{email}")


async def allow_code_at_once(env: Env, tx: Ports, email: str, place: int | None, client_info: ClientInfo) -> None:
    """Let the next code be asked for without a wait: by the known device at `place` (`place_of`), or without one, from
    this network. Call it when a code was used.
    """
    limits = env.policy.letters
    if place is None:
        await tx.rate_counters.clear(limits.codes, asker_of_code(email, client_info.network_address))
        await tx.rate_counters.give_back(limits.codes_a_day, email)
    else:
        await tx.rate_counters.clear(limits.to_email, f"{LetterKind.SIGN_IN_CODE.value}:{email}:{place}")
