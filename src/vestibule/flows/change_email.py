"""Change email: with the current password and a link mailed to the new email. A link mailed to the old one undoes it.

A click on the link to the new email proves only that its reader owns that mailbox. The reader may have asked for
nothing, and would then get an account whose password somebody else knows. So the click counts only in a browser that is
signed in to the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.crypto.opaque import digest, is_secret
from vestibule.flows.announce import announce
from vestibule.flows.ask_for_letter import count_letter_of_account, going_to, letter_by_email
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.login_attempt import check_current_password
from vestibule.flows.reauthenticate import lock_proven, require_enough, require_live_session
from vestibule.flows.remove_squatter import remove_squatter
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailChangeInvalid, EmailChangeOfAnother, EmailUnchanged
from vestibule.model.events import Event, EventKind
from vestibule.model.factors import FactorKind
from vestibule.model.letters import REMOVED, TAKEN_BACK, LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import UNDO_POSSIBLE_FOR, OneTimeToken, Purpose, token_that_keeps_email
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports


@dataclass(frozen=True)
class Undone:
    """A change of email that was undone: the email that the account has again, and the kinds of factors that were
    removed with it, each once.
    """

    email: str
    removed: Sequence[FactorKind]


async def request_change(env: Env, caller: Caller, password: str, email: str, client_info: ClientInfo) -> None:
    """Mail a link to the new email. Raises `EmailUnchanged` for the account's own email, `WrongPassword`,
    `TooManyAttempts`, `Overloaded`, `ReauthenticationRequired` if the account has a second factor that was not used
    lately, and `SessionOver` if the session ended meanwhile. Never tells whether somebody else has the new email.
    """
    if email == caller.account.email:
        raise EmailUnchanged
    account, counter_keys = await check_current_password(env, caller, password, client_info)
    await _write_to_new_email(env, account, caller, email, client_info, counter_keys)
    env.letters_waiting.set()


@retry_on_conflict
async def _write_to_new_email(
    env: Env, account: Account, caller: Caller, email: str, client_info: ClientInfo, counter_keys: Sequence[str]
) -> None:
    """Queue the letter with the link, or a notice that the email is taken; neither if a limit is reached. Reset the
    counters of wrong passwords. Raises what `lock_proven` raises.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_proven(env, tx, account, caller, now)
        await tx.login_attempts.reset(counter_keys)
        kind = LetterKind.CONFIRM_NEW_EMAIL
        if await _can_get(tx, account, email, now):
            detail = going_to(client_info.return_to)
            letter = QueuedLetter(new_id(), kind, now, account.id, email, client_info.language, detail)
        else:
            letter = letter_by_email(email, LetterKind.EMAIL_TAKEN, client_info, now)
        # Count both letters as the same kind, or an attacker who counts letters learns which emails have accounts.
        within_limit = await count_letter_of_account(env, tx, kind, account.id, email, client_info, now)
        if within_limit:
            await tx.letters.queue(letter)


async def _can_get(tx: Ports, account: Account, email: str, now: datetime) -> bool:
    """Return whether the account can get this email: not if the email is its own already, is verified by another
    account, or is kept for one. An unverified account of somebody else is deleted when the link is used.
    """
    keeper_id = (await tx.accounts.kept([email], now)).get(email)
    if keeper_id not in {None, account.id}:
        return False
    holder = await tx.accounts.with_email(email)
    return holder is None or (holder.id != account.id and not holder.verified)


async def email_of_link(env: Env, caller: Caller, secret: str) -> str:
    """Return the email that a mailed link would give the caller's account, without spending the link. Raises
    `EmailChangeOfAnother` if another account asked for the link, `EmailChangeInvalid` if it is no longer valid, and
    `ReauthenticationRequired` as `confirm_change` does.
    """
    _require_form(secret)
    async with env.store.reading() as read:
        account = await read.accounts.of_token(digest(secret))
        if account is not None and account.id != caller.account.id:
            raise EmailChangeOfAnother
        email = await read.one_time_tokens.wanted_email(caller.account.id, digest(secret), env.clock.now())
        if email is None:
            raise EmailChangeInvalid
        await require_enough(env, read, caller.account.id, caller.level)
    return email


@retry_on_conflict
async def confirm_change(env: Env, caller: Caller, secret: str) -> None:
    """Give the caller's account the email that the link was mailed to, and end every session.

    Raises `EmailChangeInvalid`, also if another account has the email by now or can still restore it;
    `EmailChangeOfAnother`; `SessionOver`; and `ReauthenticationRequired` if the account has a second factor and the
    caller signed in without it: the owner may have added it against the thief who asked for this link. A refusal does
    not spend the link.
    """
    _require_form(secret)
    now = env.clock.now()
    async with env.store.transaction() as tx:
        token = await _spend(tx, secret, Purpose.CHANGE_EMAIL, now)
        owner = await _require_owner(env, tx, caller, token, now)
        revoked = await remove_squatter(env, tx, token.email, owner.id, now)
        if await tx.accounts.change_email(owner.id, token.email, now) is None:
            raise EmailChangeInvalid
        ended = await end_trust(env, tx, owner.id, EndReason.EMAIL_CHANGED, now, delete_devices=False)
        # An old email that was never verified may belong to anybody, so it gets no link that undoes the change.
        if owner.verified:
            await _mail_undo_link(tx, owner, now)
        await tx.events.record(Event(now, EventKind.EMAIL_CHANGED, owner.id))
        # Attempts are counted by email. The owner gave the password to get this one, so its counters are reset.
        await tx.login_attempts.reset_all(owner.id, token.email)
    env.letters_waiting.set()
    await announce(env, revoked)
    await announce_end(env, ended)


async def _require_owner(env: Env, tx: Ports, caller: Caller, token: OneTimeToken, now: datetime) -> Account:
    """Return the account that a token changes. Raises `EmailChangeInvalid` if that account is gone,
    `EmailChangeOfAnother` if it is not the caller's, `SessionOver`, and `ReauthenticationRequired` as `confirm_change`
    does. Call it inside the transaction, so that a refusal does not spend the link.
    """
    owner = await tx.accounts.get(token.account_id)
    if owner is None:
        raise EmailChangeInvalid
    if owner.id != caller.account.id:
        raise EmailChangeOfAnother
    await require_live_session(tx, owner.id, caller.session_id, now)
    await require_enough(env, tx, owner.id, caller.level)
    return owner


async def _mail_undo_link(tx: Ports, owner: Account, now: datetime) -> None:
    """Mail a link that undoes the change to the account's old email. Until that link expires, keep the old email for
    this account: another account that took it would make the link useless.
    """
    letter = QueuedLetter(new_id(), LetterKind.EMAIL_CHANGED, now, owner.id, owner.email)
    await tx.one_time_tokens.keep(token_that_keeps_email(owner, letter.id, now))
    await tx.letters.queue(letter)


@retry_on_conflict
async def undo_change(env: Env, secret: str) -> Undone:
    """Give the account its old email back, by the link that was mailed there: end every session, remove the password,
    and mail a link that sets a new one. Remove the second factors added since the change, or at most
    `UNDO_POSSIBLE_FOR` before it: an attacker adds one before the change, which ends the attacker's own session.
    Later changes of the email are undone too; earlier ones can still be undone by their own links.

    Raises `EmailChangeInvalid`, also if another account has verified the old email although it was kept for this one. A
    refusal does not spend the link.
    """
    _require_form(secret)
    now = env.clock.now()
    async with env.store.transaction() as tx:
        token = await _spend(tx, secret, Purpose.UNDO_EMAIL_CHANGE, now)
        revoked = await remove_squatter(env, tx, token.email, token.account_id, now)
        owner = await tx.accounts.reassign_to_email(token.account_id, token.email, now)
        if owner is None:
            raise EmailChangeInvalid
        # An attacker who changed the email twice has a link that undoes the second change. Void it: it is newer than
        # this one.
        ended = await end_trust(env, tx, owner.id, EndReason.EMAIL_TAKEN_BACK, now, undo_since=token.created_at)
        removed = await clear_factors(tx, owner.id, since=token.created_at - UNDO_POSSIBLE_FOR)
        await _tell_taken_back(tx, owner.id, removed, now)
    await announce(env, revoked)
    await announce_end(env, ended)
    env.letters_waiting.set()
    return Undone(token.email, list(dict.fromkeys(removed)))


async def _tell_taken_back(tx: Ports, account_id: str, removed: Sequence[FactorKind], now: datetime) -> None:
    """Mail the owner a link for a new password, in a letter that names the removed factors; record both events."""
    detail = {"why": TAKEN_BACK, REMOVED: " ".join(dict.fromkeys(removed))}
    await tx.letters.queue(QueuedLetter(new_id(), LetterKind.RESET_PASSWORD, now, account_id, detail=detail))
    await tx.events.record(
        Event(now, EventKind.EMAIL_TAKEN_BACK, account_id),
        *(Event(now, EventKind.FACTOR_REMOVED, account_id, detail={"factor": kind.value}) for kind in removed),
    )


def _require_form(secret: str) -> None:
    """Raise `EmailChangeInvalid` if the text cannot be a mailed secret, so that the database is not asked about it."""
    if not is_secret(secret):
        raise EmailChangeInvalid


async def _spend(tx: Ports, secret: str, purpose: Purpose, now: datetime) -> OneTimeToken:
    """Spend the link and return its token; raises `EmailChangeInvalid` if the link is no longer valid. A refusal later
    in the transaction rolls it back, so that the link is not spent.
    """
    await tx.accounts.lock_for_token(digest(secret))
    token = await tx.one_time_tokens.consume(digest(secret), purpose, now)
    if token is None:
        raise EmailChangeInvalid
    return token
