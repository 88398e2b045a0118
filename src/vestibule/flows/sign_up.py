"""Sign up on a page: register, and begin a session at once, unless the email must be verified first.

A double click sends the form twice. The browser drops the first answer with its cookies. So the second form signs in,
as the sign-in page would, with the same limits.
"""

from datetime import timedelta

from vestibule.flows.begin_session import EnrolmentNeeded, SignedIn, begin_session
from vestibule.flows.env import Env
from vestibule.flows.register import register
from vestibule.flows.sign_in import sign_in
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailTaken, Fault, Refusal, WrongCredentials

_SENT_TWICE = timedelta(seconds=10)


async def sign_up(
    env: Env, name: str, email: str, password: str, client_info: ClientInfo
) -> SignedIn | EnrolmentNeeded | None:
    """Register an account and begin its first session, or, if it must have a second factor, return what setting one up
    needs. Return None if the person has to sign in: if verification is mandatory, if accounts are concealed, or if the
    session could not begin. Raises what `register` raises, but nothing once the account is registered.
    """
    try:
        account = await register(env, name, email, password, client_info)
    except EmailTaken:
        return await _sign_in_if_sent_twice(env, name, email, password, client_info)
    if not env.policy.signs_in_at_sign_up:
        return None
    try:
        outcome = await begin_session(env, account, client_info)
    except (WrongCredentials, Fault):
        return None
    return outcome if isinstance(outcome, SignedIn | EnrolmentNeeded) else None


async def _sign_in_if_sent_twice(
    env: Env, name: str, email: str, password: str, client_info: ClientInfo
) -> SignedIn | EnrolmentNeeded:
    """Sign in to an account that was registered a moment ago with the same name and password; raises `EmailTaken`."""
    async with env.store.reading() as read:
        account = await read.accounts.with_email(email)
    if account is None or account.name != name or env.clock.now() - account.created_at > _SENT_TWICE:
        raise EmailTaken
    if not env.policy.signs_in_at_sign_up:
        raise EmailTaken
    try:
        outcome = await sign_in(env, email, password, client_info)
    except Refusal:
        raise EmailTaken from None
    if not isinstance(outcome, SignedIn | EnrolmentNeeded):
        raise EmailTaken
    return outcome
