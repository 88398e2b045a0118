"""Sign in with a passkey alone: the authenticator verifies its user, and names the account."""

from datetime import datetime

from vestibule.crypto import webauthn
from vestibule.crypto.webauthn import Answer
from vestibule.flows.begin_session import Proof, SignedIn, begin_session
from vestibule.flows.ceremony import Question, begin_ceremony, read_ceremony, relying_party
from vestibule.flows.env import Env
from vestibule.flows.passkey_proof import check_passkey, use_passkey
from vestibule.flows.second_factor import counters_reset_by
from vestibule.flows.sign_in import session_held
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.errors import EmailNotVerified, WrongCredentials
from vestibule.model.factor_errors import PasskeyRefused
from vestibule.model.passkeys import CeremonyPurpose
from vestibule.model.store import Ports


def ask_for_passkey(env: Env) -> Question:
    """Return the question for any passkey of this server. Everybody is asked the same, except for the challenge. Raises
    `PasskeysUnavailable`.
    """
    party = relying_party(env)
    challenge, kept = begin_ceremony(env, CeremonyPurpose.SIGN_IN)
    return Question(webauthn.request_options(party, challenge, verify_user=True), kept)


async def sign_in_with_passkey(
    env: Env, answer: Answer, kept: str, client_info: ClientInfo, held: str = ""
) -> SignedIn:
    """Begin a session of the account that the passkey belongs to, and return its tokens. `held` is the refresh token
    that the browser sent, as in `sign_in`. The sign-in is complete, so the counters of wrong codes for this browser are
    reset.

    Raises `CeremonyOver` if the question has expired or was answered before, `PasskeyUnknown`, `PasskeyNeedsPassword`
    if the password was reset by mail since the passkey was used, and `PasskeyRefused`, also for a disabled account.
    Raises `EmailNotVerified` if a verified email is mandatory, or `PasskeyRefused` if that would reveal what
    registration conceals; and `PasskeysUnavailable`.
    """
    ceremony = read_ceremony(env, kept, CeremonyPurpose.SIGN_IN)
    signed = await check_passkey(env, ceremony, answer, verify_user=True)
    account = await _account(env, signed.passkey.account_id)

    told: list[bool] = []  # filled by `spend`, which runs inside `begin_session`, and again after a conflict

    async def spend(tx: Ports, now: datetime) -> None:
        told.append(await use_passkey(tx, signed, client_info, now))

    counters = await counters_reset_by(env, account, client_info)
    proof = Proof(signed.methods, counters, held_session=session_held(env, held), spend=spend)
    try:
        outcome = await begin_session(env, account, client_info, proof)
    except WrongCredentials:  # the account has changed since it was read
        raise PasskeyRefused from None
    if not isinstance(outcome, SignedIn):  # never: a passkey that verified its user proves two factors
        raise PasskeyRefused
    if any(told):  # the owner is told that the passkey may be copied
        env.letters_waiting.set()
    return outcome


async def _account(env: Env, account_id: str) -> Account:
    """Return the account, if it may sign in; raises `PasskeyRefused` and `EmailNotVerified`."""
    async with env.store.reading() as read:
        account = await read.accounts.get(account_id)
    if account is None or account.disabled_at is not None:
        raise PasskeyRefused
    if env.policy.verification_mandatory and not account.verified:
        raise PasskeyRefused if env.policy.conceals_unverified else EmailNotVerified
    return account
