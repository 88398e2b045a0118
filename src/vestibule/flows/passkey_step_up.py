"""Step up with a passkey of the account."""

from datetime import datetime

from vestibule.crypto import webauthn
from vestibule.crypto.webauthn import Answer, CredentialName
from vestibule.flows.ceremony import Question, begin_ceremony, read_ceremony, relying_party
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller
from vestibule.flows.issue_tokens import Tokens
from vestibule.flows.passkey_proof import PasskeyProof, check_passkey, use_passkey
from vestibule.flows.second_factor import counters_reset_by
from vestibule.flows.step_up import FreshProof, account_of, complete_step_up, methods_before
from vestibule.model.client_info import ClientInfo
from vestibule.model.passkeys import CeremonyPurpose
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method


async def ask_for_my_passkey(env: Env, caller: Caller) -> Question:
    """Return the question for a passkey of the caller, which only the caller's session can answer. Raises
    `PasskeysUnavailable`.
    """
    party = relying_party(env)
    async with env.store.reading() as read:
        passkeys = await read.passkeys.of_account(caller.account.id)
    challenge, kept = begin_ceremony(env, CeremonyPurpose.STEP_UP, caller.session_id)
    names = [CredentialName(passkey.credential_id, passkey.transports) for passkey in passkeys]
    return Question(webauthn.request_options(party, challenge, names, verify_user=False), kept)


async def step_up_by_passkey(env: Env, caller: Caller, answer: Answer, kept: str, client_info: ClientInfo) -> Tokens:
    """Return new tokens of the caller's session, if the answer is of a passkey of the account. `kept` is the sealed
    text of the `Question`. Raises `CeremonyOver`, `PasskeyUnknown`, `PasskeyRefused`, `PasskeysUnavailable`,
    `ReauthenticationRequired` if the passkey alone is not enough, and `SessionOver`.
    """
    ceremony = read_ceremony(env, kept, CeremonyPurpose.STEP_UP, caller.session_id)
    account = await account_of(env, caller)
    proof = await check_passkey(env, ceremony, answer, verify_user=False, account_id=account.id)

    async def spend(tx: Ports, now: datetime) -> None:
        await use_passkey(tx, proof, client_info, now, alone=False)

    counters = await counters_reset_by(env, account, client_info, signed_in=True)
    fresh = FreshProof(_methods(caller, proof), spend, counters)
    tokens = await complete_step_up(env, account, caller, fresh, client_info)
    env.letters_waiting.set()
    return tokens


def _methods(caller: Caller, proof: PasskeyProof) -> tuple[str, ...]:
    """Return the methods of the step-up: two factors if the authenticator verified its user, or if the session began
    with the password; otherwise possession alone.
    """
    before = methods_before(caller)
    if Method.MORE_THAN_ONE_FACTOR in proof.methods or not before:
        return proof.methods
    return (*before, *proof.methods, Method.MORE_THAN_ONE_FACTOR)
