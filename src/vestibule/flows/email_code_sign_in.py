"""Sign in by an emailed code, in the browser that asked for it.

An email without an account, or with an unverified one, is answered like one whose code is wrong, after the same
statements. The code is one factor, as a password is, so a second factor is asked for after it.
"""

from datetime import datetime

from vestibule.flows.ask_for_letter import allow_code_at_once
from vestibule.flows.begin_session import EnrolmentNeeded, Proof, SecondFactorNeeded, SignedIn, Spend, begin_session
from vestibule.flows.email_code_handle import digest_of_code, open_handle
from vestibule.flows.env import Env
from vestibule.flows.know_device import place_of
from vestibule.flows.login_attempt import count_attempt, give_back, record_failed_attempt
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.sign_in import session_held
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.email_code_errors import (
    EmailCodeLate,
    EmailCodesPaused,
    EmailCodeSpent,
    EmailCodeUsed,
    EmailCodeWrong,
)
from vestibule.model.email_codes import GUESSES, EmailCodeHandle, read_code
from vestibule.model.errors import Refusal, WrongCredentials
from vestibule.model.events import EventKind
from vestibule.model.factor_attempts import EMAIL_CODE_LIMITS, counters_of_email_code
from vestibule.model.login_attempts import LoginAttempt
from vestibule.model.one_time_tokens import Purpose
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method


async def sign_in_by_email_code(
    env: Env, kept: str, text: str, client_info: ClientInfo, held: str = ""
) -> SignedIn | SecondFactorNeeded | EnrolmentNeeded:
    """Begin a session and return its tokens; or, if the account has or must have a second factor, return what that
    needs, as `sign_in` does. `kept` is the sealed handle in the browser's cookie, `held` the refresh token that the
    browser sent.

    Raises `EmailCodeElsewhere` without a handle, `EmailCodeLate`, `EmailCodeWrong`, `EmailCodeUsed`, `EmailCodeSpent`
    after too many codes with this handle, and `EmailCodesPaused` after too many wrong codes for this email, even if
    this one is right.
    """
    handle, code = open_handle(env, kept), read_code(text)
    if env.clock.now() >= handle.ends_at:
        raise EmailCodeLate
    if code is None:
        raise EmailCodeWrong
    await _count_guess(env, handle)
    if not handle.queued:  # no code was mailed for this handle, so no counter of the account is touched
        raise EmailCodeWrong
    async with env.store.reading() as read:
        account = await read.accounts.with_email(handle.email)
        place = await place_of(read, account, client_info)
    attempt = await count_attempt(env, counters_of_email_code(account, handle.email, place), EMAIL_CODE_LIMITS)
    digest = digest_of_code(env, handle.digest, code)
    fault = await _fault(env, account, digest, attempt)
    if account is None or fault is not None:
        await record_failed_attempt(env, account, attempt, client_info, EventKind.EMAIL_CODE_REFUSED, EMAIL_CODE_LIMITS)
        raise fault or EmailCodeWrong()
    proof = Proof(
        (Method.ONE_TIME_CODE,),
        attempt.keys,
        session_held(env, held),
        _spend(env, handle.email, place, digest, client_info),
    )
    return await _begin(env, account, client_info, proof, attempt)


@retry_on_conflict
async def _count_guess(env: Env, handle: EmailCodeHandle) -> None:
    async with env.store.transaction() as tx:
        allowed = await tx.rate_counters.take(GUESSES, handle.digest, env.clock.now())
    if not allowed:
        raise EmailCodeSpent


async def _fault(env: Env, account: Account | None, digest: str, attempt: LoginAttempt) -> Refusal | None:
    """Return what is wrong with the code of this digest; None if it can be spent. That a code was used or has expired
    is told only if it was right for its handle.
    """
    if attempt.spent:
        return EmailCodesPaused()
    if not attempt.within_limit(EMAIL_CODE_LIMITS):
        return EmailCodeWrong()
    now = env.clock.now()
    async with env.store.reading() as read:
        token = await read.one_time_tokens.look_up(digest, Purpose.SIGN_IN_CODE)
        usable = await read.one_time_tokens.usable(digest, Purpose.SIGN_IN_CODE, now)
    if token is None or account is None or token.account_id != account.id:
        return EmailCodeWrong()
    if usable:
        return None
    return EmailCodeUsed() if now < token.expires_at else EmailCodeLate()


def _spend(env: Env, email: str, place: int | None, digest: str, client_info: ClientInfo) -> Spend:
    """Return the step that spends the code, with all others of its account. The browser's user reads the mailbox, so
    the next code may be asked for without a wait.
    """

    async def spend(tx: Ports, now: datetime) -> None:
        if await tx.one_time_tokens.consume(digest, Purpose.SIGN_IN_CODE, now) is None:
            raise EmailCodeUsed
        await allow_code_at_once(env, tx, email, place, client_info)

    return spend


async def _begin(
    env: Env, account: Account, client_info: ClientInfo, proof: Proof, attempt: LoginAttempt
) -> SignedIn | SecondFactorNeeded | EnrolmentNeeded:
    try:
        outcome = await begin_session(env, account, client_info, proof)
    except WrongCredentials:  # the account has changed since it was read
        raise EmailCodeWrong from None
    if not isinstance(outcome, SignedIn):
        # The code was right, but only a complete sign-in resets the counters.
        await give_back(env, attempt, EMAIL_CODE_LIMITS)
    return outcome
