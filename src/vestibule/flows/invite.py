"""Invite: an operator creates an account for somebody, who chooses its password by a mailed link.

Until then the account is one that somebody has registered and nobody has used: its password is random, and nobody knows
it. So a registration of the email, or a reset of the password, replaces the invitation and voids its link; and
an invitation that nobody accepts is cleaned up as other accounts that were never used.
"""

from datetime import datetime

from vestibule.crypto.entropy import new_id, random_bytes
from vestibule.crypto.opaque import digest
from vestibule.flows.ask_for_letter import allow_reset_at_once
from vestibule.flows.check_link import link_works
from vestibule.flows.clear_factors import clear_factors
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.end_trust import end_trust, void_links
from vestibule.flows.env import Env
from vestibule.flows.know_device import know_only_this_device
from vestibule.flows.mail_link import count_link_of_operator
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.accounts import Account, Role
from vestibule.model.clock import SMALLEST_STEP
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import EmailTaken, InvitationInvalid
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.one_time_tokens import OneTimeToken, Purpose
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason
from vestibule.model.store import Ports

_PASSWORD_BYTES = 32


async def invite(env: Env, operator: Operator, name: str, email: str) -> Account:
    """Create an account with the role `user` and mail its invitation; return the account. `email` is canonical. A
    second invitation of somebody who has not accepted voids the link of the first. Raises `EmailTaken` if the email has
    an account that is verified or in use, or if an account may still take the email back; `TooManyLinks`; `Overloaded`;
    and `PermissionMissing` and `SessionOver`, about the operator.
    """
    password_hash = await env.passwords.hash(random_bytes(_PASSWORD_BYTES).hex())
    invited = await _add(env, operator, name, email, password_hash)
    env.letters_waiting.set()
    return invited


@retry_on_conflict
async def _add(env: Env, operator: Operator, name: str, email: str, password_hash: str) -> Account:
    now = env.clock.now()
    account = Account(
        new_id(), name, email, Role.USER, verified=False, created_at=now, updated_at=now, password_hash=password_hash
    )
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.PEOPLE_CHANGE, now)
        await count_link_of_operator(env, tx, LetterKind.INVITATION, email, now)
        if await tx.accounts.add(account):
            invited = account
        else:
            invited = await _invite_again(tx, account, now)
        await tx.letters.queue(
            QueuedLetter(new_id(), LetterKind.INVITATION, now, invited.id, language=invited.language)
        )
        await tx.events.record(operator.event(now, EventKind.INVITED, invited.id))
        await tx.login_attempts.reset_all(invited.id, email)
    return invited


async def _invite_again(tx: Ports, account: Account, now: datetime) -> Account:
    """Replace an account that nobody has verified or used, and void its links; return it. Raises `EmailTaken`."""
    await tx.accounts.lock_at(account.email)
    # Also one that was registered at this very moment: `register_again` takes those from before the time it is given.
    again = await tx.accounts.register_again(account, now + SMALLEST_STEP)
    if again is None:
        raise EmailTaken
    await void_links(tx, again.id, now)
    return again


async def accept_invitation(env: Env, secret: str, password: str) -> DeviceSecret:
    """Spend the link of an invitation: set the first password and verify the email. Return the secret of the device
    cookie: this browser is known from now on. Raises `InvitationInvalid`, also if the account was taken into use by
    another way; `PasswordTooEasy`, which does not spend the link; and `Overloaded`.
    """
    if not await link_works(env, secret, Purpose.INVITATION):
        raise InvitationInvalid  # before the password is hashed, which is slow
    password_hash = await env.passwords.hash(password)
    device, ended = await _accept(env, secret, password, password_hash)
    await announce_end(env, ended)
    return device


@retry_on_conflict
async def _accept(env: Env, secret: str, password: str, password_hash: str) -> tuple[DeviceSecret, Ended]:
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await tx.accounts.lock_for_token(digest(secret))
        token = await tx.one_time_tokens.consume(digest(secret), Purpose.INVITATION, now)
        account = await tx.accounts.get(token.account_id) if token else None
        if token is None or account is None or account.verified or account.first_used_at is not None:
            raise InvitationInvalid
        env.policy.passwords.require_hard_to_guess(password, token.email)
        ended = await _begin(env, tx, token, password_hash, now)
        device = await know_only_this_device(tx, account.id, now)
    return device, ended


async def _begin(env: Env, tx: Ports, token: OneTimeToken, password_hash: str, now: datetime) -> Ended:
    """Set the password and verify the email. End sessions, links and known devices from before, as a password reset
    does; return what ended.
    """
    await clear_factors(tx, token.account_id)
    await tx.accounts.set_password(token.account_id, password_hash, now)
    await tx.accounts.verify(token.account_id, token.email, now)
    ended = await end_trust(env, tx, token.account_id, EndReason.PASSWORD_RESET, now)
    await tx.events.record(Event(now, EventKind.INVITATION_ACCEPTED, token.account_id))
    await tx.login_attempts.reset_all(token.account_id, token.email)
    await allow_reset_at_once(env, tx, token.email)
    return ended
