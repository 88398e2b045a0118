"""Change password: check the current one, end every session, and begin a new one for the caller."""

from dataclasses import replace
from datetime import UTC, datetime

from vestibule.crypto.entropy import new_id
from vestibule.flows.ask_for_letter import allow_reset_at_once
from vestibule.flows.begin_session import SignedIn
from vestibule.flows.end_sessions import Ended, announce_end
from vestibule.flows.end_trust import end_trust
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import issue_tokens
from vestibule.flows.know_device import circumstances, know_only_this_device
from vestibule.flows.login_attempt import check_current_password
from vestibule.flows.reauthenticate import lock_proven
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.second_factor_rule import require_enough_proof
from vestibule.flows.tell_owner import tell_owner
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import WrongPassword
from vestibule.model.events import Event, EventKind
from vestibule.model.letters import LetterKind, QueuedLetter
from vestibule.model.sessions import EndReason, Session, begin
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Level


async def change_password(env: Env, caller: Caller, current: str, password: str, client_info: ClientInfo) -> SignedIn:
    """Change the caller's password, end all sessions and return a new one. Only this browser stays a known device.
    Raises `PasswordTooEasy`, `WrongPassword`, `TooManyAttempts`, `Overloaded`, `SecondFactorEnrolmentRequired`,
    `ReauthenticationRequired` if the account has a second factor that was not used lately, and `SessionOver` if the
    session ended meanwhile.
    """
    env.policy.passwords.require_hard_to_guess(password, caller.account.email)
    account, _ = await check_current_password(env, caller, current, client_info)
    password_hash = await env.passwords.hash(password)
    session, device, ended = await _change(env, account, caller, password_hash, client_info)
    env.letters_waiting.set()
    await announce_end(env, ended)
    await env.replica.put(session, account)
    return SignedIn(account, session, await issue_tokens(env, session, account, session.created_at), device)


@retry_on_conflict
async def _change(
    env: Env, account: Account, caller: Caller, password_hash: str, client_info: ClientInfo
) -> tuple[Session, DeviceSecret, Ended]:
    """Set the new hash. Return the caller's new session, the secret of its device, and what ended. Raises
    `WrongPassword` if the password was changed meanwhile, `SecondFactorEnrolmentRequired`, `ReauthenticationRequired`,
    and `SessionOver`.
    """
    now = env.clock.now()
    session = _as_proven(begin(new_id(), account.id, client_info.device, env.policy.sessions, now), caller)
    async with env.store.transaction() as tx:
        held = await lock_proven(env, tx, account, caller, now)
        session = replace(session, methods=held.methods_left(session.methods))
        require_enough_proof(env, account, session.methods)
        # Replaces only the hash that was checked, so of two concurrent changes one wins.
        epoch = await tx.accounts.change_password(account.id, account.password_hash or "", password_hash, now)
        if epoch is None:
            raise WrongPassword
        ended = await end_trust(env, tx, account.id, EndReason.PASSWORD_CHANGED, now)
        if not await tx.sessions.open(session, epoch):
            raise WrongPassword
        await tell_changed_password(tx, account.id, client_info, now)
        await tx.events.record(Event(now, EventKind.PASSWORD_CHANGED, account.id, session.id))
        device = await know_only_this_device(tx, account.id, now)
        await tx.login_attempts.reset_all(account.id, account.email)
        await allow_reset_at_once(env, tx, account.email)
    return session, device, ended


def _as_proven(session: Session, caller: Caller) -> Session:
    """Return the session with the methods and the sign-in time of the caller's token, if that token has a higher level
    than the password that was just given.
    """
    if caller.level is Level.ONE_FACTOR:
        return session
    moment = datetime.fromtimestamp(caller.authenticated_at, UTC)
    return replace(session, methods=caller.methods, authenticated_at=moment)


async def tell_changed_password(tx: Ports, account_id: str, client_info: ClientInfo, now: datetime) -> None:
    """Tell the owner that the password was changed. Call it inside the transaction that changes it."""
    detail = circumstances(client_info, now)
    kind, language = LetterKind.PASSWORD_CHANGED, client_info.language
    await tell_owner(tx, QueuedLetter(new_id(), kind, now, account_id, language=language, detail=detail))
