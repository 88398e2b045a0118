"""Enrol a passkey at sign-in: as `enrol_at_sign_in`, with a passkey as the factor that is set up."""

from datetime import datetime

from vestibule.crypto import webauthn
from vestibule.crypto.webauthn import Answer
from vestibule.flows.add_passkey import checked_passkey, store_passkey
from vestibule.flows.ceremony import Question, begin_ceremony, read_ceremony, relying_party, spend_ceremony
from vestibule.flows.complete_sign_in import must_verify_user
from vestibule.flows.enrol_at_sign_in import Enrolled, enrolling_sign_in, finish_enrolment
from vestibule.flows.env import Env
from vestibule.model.client_info import ClientInfo
from vestibule.model.factors import FactorKind
from vestibule.model.passkeys import CeremonyPurpose
from vestibule.model.store import Ports
from vestibule.protocol.authentication import Method


async def ask_to_enrol_passkey(env: Env, handle: str) -> Question:
    """Return the question that makes the first passkey of the account. Raises `PasskeysUnavailable`, and what
    `enrolling_sign_in` raises.
    """
    party = relying_party(env)
    pending, account = await enrolling_sign_in(env, handle)
    challenge, kept = begin_ceremony(env, CeremonyPurpose.ADD, pending.digest)
    verify_user = must_verify_user(pending)
    options = webauthn.creation_options(party, challenge, account.id, account.email, (), verify_user=verify_user)
    return Question(options, kept)


async def enrol_passkey(
    env: Env, handle: str, answer: Answer, kept: str, name: str, client_info: ClientInfo
) -> Enrolled:
    """Add the passkey that the authenticator has made, and begin the session. `kept` is the sealed text of the
    `Question`. Raises `CeremonyOver`, `PasskeyRefused`, `PasskeyTaken`, and what `finish_enrolment` and
    `ask_to_enrol_passkey` raise.
    """
    pending, account = await enrolling_sign_in(env, handle)
    ceremony = read_ceremony(env, kept, CeremonyPurpose.ADD, pending.digest)
    new = checked_passkey(env, ceremony, answer, name, verify_user=must_verify_user(pending))
    domain = relying_party(env).domain

    async def add(tx: Ports, now: datetime) -> None:
        await spend_ceremony(tx, ceremony)
        await store_passkey(tx, new.of(account.id, domain, now))

    passkey = new.of(account.id, domain, env.clock.now())  # not stored: only its methods are needed here
    methods = (*passkey.methods(user_verified=passkey.user_verified), Method.MORE_THAN_ONE_FACTOR)
    each_once = tuple(dict.fromkeys(methods))
    return await finish_enrolment(env, pending, account, FactorKind.PASSKEY, add, each_once, client_info)
