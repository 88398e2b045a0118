"""Take the second step of a sign-in with a passkey of the account."""

from datetime import datetime

from vestibule.crypto import webauthn
from vestibule.crypto.webauthn import Answer, CredentialName
from vestibule.flows.begin_session import SignedIn
from vestibule.flows.ceremony import Question, begin_ceremony, read_ceremony, relying_party
from vestibule.flows.complete_sign_in import finish_sign_in, must_verify_user, pending_sign_in
from vestibule.flows.env import Env
from vestibule.flows.passkey_proof import check_passkey, use_passkey
from vestibule.flows.second_factor import SecondFactor, counters_reset_by
from vestibule.model.client_info import ClientInfo
from vestibule.model.passkeys import CeremonyPurpose
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method


async def ask_for_second_passkey(env: Env, handle: str) -> Question:
    """Return the question for a passkey of the account, which only this pending sign-in can answer. Raises
    `NoPendingSignIn` and `PasskeysUnavailable`.
    """
    party = relying_party(env)
    pending, account = await pending_sign_in(env, handle)
    async with env.store.reading() as read:
        passkeys = await read.passkeys.of_account(account.id)
    challenge, kept = begin_ceremony(env, CeremonyPurpose.SECOND_FACTOR, pending.digest)
    names = [CredentialName(passkey.credential_id, passkey.transports) for passkey in passkeys]
    options = webauthn.request_options(party, challenge, names, verify_user=must_verify_user(pending))
    return Question(options, kept)


async def complete_sign_in_with_passkey(
    env: Env, handle: str, answer: Answer, kept: str, client_info: ClientInfo
) -> SignedIn:
    """Begin the session of a pending sign-in with this answer. `handle` is the secret in the browser's cookie, `kept`
    the sealed text of the `Question`.

    Raises `NoPendingSignIn` as `complete_sign_in` does, `CeremonyOver`, `PasskeyUnknown`, `PasskeyRefused` and
    `PasskeysUnavailable`.
    """
    pending, account = await pending_sign_in(env, handle)
    ceremony = read_ceremony(env, kept, CeremonyPurpose.SECOND_FACTOR, pending.digest)
    verify_user = must_verify_user(pending)
    proof = await check_passkey(env, ceremony, answer, verify_user=verify_user, account_id=account.id)

    async def spend(tx: Ports, now: datetime) -> None:
        await use_passkey(tx, proof, client_info, now, alone=False)

    methods = tuple(dict.fromkeys((*proof.methods, Method.MORE_THAN_ONE_FACTOR)))
    factor = SecondFactor(spend, await counters_reset_by(env, account, client_info))
    return await finish_sign_in(env, pending, account, factor, methods, client_info)
