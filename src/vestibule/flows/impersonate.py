"""Impersonate: begin a session in which an operator acts as the owner of an account (decision 0060).

The session begins with both accounts locked. So a change that takes the operator's right, or makes the owner an
operator, commits either before, and no session begins; or after, and ends the session.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.announce import announce
from vestibule.flows.end_sessions import end_session
from vestibule.flows.env import Env
from vestibule.flows.issue_tokens import Tokens, issue_acting_token
from vestibule.flows.require_operator import lock_for
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.tell_owner import tell_owner
from vestibule.model.accounts import Account
from vestibule.model.events import EventKind
from vestibule.model.impersonation import MOST_AT_ONCE, Impersonation, begin_acting, can_be_acted_as
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.operator_errors import CannotBeActedAs, OwnerNotTold, PermissionMissing, PersonUnknown
from vestibule.model.operators import Operator
from vestibule.model.permissions import Permission
from vestibule.model.revocations import Revocation
from vestibule.model.sessions import EndReason, Session
from vestibule.model.store import Ports

_RIGHT = Permission.PEOPLE_IMPERSONATE


@dataclass(frozen=True)
class Acting:
    """A session in which an operator acts as somebody, with its token."""

    account: Account
    session: Session
    tokens: Tokens


async def impersonate(env: Env, operator: Operator, account_id: str, reason: str) -> Acting:
    """Begin a session in which the operator acts as the owner of the account, and record the reason. The owner's
    sign-ins, devices, counters and sessions stay as they are. Raises `PersonUnknown`, `CannotBeActedAs`, `Overloaded`,
    and `OwnerNotTold` if the owner has to be told and has had as many emails about it as one gets in a day; and
    `PermissionMissing`, `PersonMayDoMore` and `SessionOver`, about the operator.
    """
    session, account, revoked = await _begin(env, operator, account_id, reason)
    env.letters_waiting.set()
    await announce(env, revoked)
    await env.replica.put(session, account)
    return Acting(account, session, await issue_acting_token(env, session, account, session.created_at))


@retry_on_conflict
async def _begin(
    env: Env, operator: Operator, account_id: str, reason: str
) -> tuple[Session, Account, list[Revocation]]:
    if env.policy.impersonation is Impersonation.OFF or operator.session_id is None:
        raise PermissionMissing(_RIGHT)
    now = env.clock.now()
    async with env.store.transaction() as tx:
        account = await lock_for(tx, operator, _RIGHT, account_id, now)
        operators = await tx.sessions.find(operator.session_id)
        if account is None or operators is None:
            raise PersonUnknown
        session = begin_acting(new_id(), account_id, operators[0], now)
        if not can_be_acted_as(account) or not await tx.sessions.begin_acting(session, account.epoch, now):
            raise CannotBeActedAs
        revoked = await _end_oldest(env, tx, session, now)
        await _tell(env, tx, operator, session, reason)
    return session, account, revoked


async def _end_oldest(env: Env, tx: Ports, begun: Session, now: datetime) -> list[Revocation]:
    """End the oldest sessions in which this operator acts, if `begun` makes them too many; return their revocations."""
    revoked: list[Revocation] = []
    newest_first = await tx.sessions.acting(begun.actor_id, MOST_AT_ONCE + 1, now)
    others = [each for each in newest_first if each[0].id != begun.id]
    for session, account in others[MOST_AT_ONCE - 1 :]:  # `begun` and the newest of the others stay
        revoked += await end_session(env, tx, session.id, account.id, EndReason.ACTING_ENDED, now)
    return revoked


async def _tell(env: Env, tx: Ports, operator: Operator, session: Session, reason: str) -> None:
    """Record that the session began, and write to the owner unless the policy says otherwise. Raises `OwnerNotTold` if
    that email would not be sent.
    """
    at, account_id = session.created_at, session.account_id
    event = operator.event(at, EventKind.ACTING_BEGUN, account_id, reason=reason)
    await tx.events.record(replace(event, session_id=session.id))
    if env.policy.impersonation is Impersonation.TOLD:
        detail = {"at": at.isoformat(timespec="seconds")}
        if not await tell_owner(tx, QueuedLetter(new_id(), LetterKind.ACTING_BEGUN, at, account_id, detail=detail)):
            raise OwnerNotTold
