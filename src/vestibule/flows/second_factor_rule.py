"""The rule about second factors: an account that must have one gets no token without it (decision 0049)."""

from collections.abc import Collection

from vestibule.flows.env import Env
from vestibule.model.accounts import Account
from vestibule.model.factor_errors import SecondFactorEnrolmentRequired
from vestibule.model.factors import FactorKind
from vestibule.protocol.authentication import Level, level_reached


def proves_enough(env: Env, account: Account, methods: Collection[str]) -> bool:
    """Return whether the account may get tokens for a sign-in by these methods."""
    return not env.policy.second_factor.demands(account.role) or level_reached(methods) >= Level.TWO_FACTORS


def require_enough_proof(env: Env, account: Account, methods: Collection[str]) -> None:
    """Raise `SecondFactorEnrolmentRequired` unless the account may get tokens for a sign-in by these methods. An
    account that has a second factor was asked for it before this.
    """
    if not proves_enough(env, account, methods):
        raise enrolment_required(env)


def enrolment_required(env: Env) -> SecondFactorEnrolmentRequired:
    """Return the refusal, with the kinds of factors that this installation offers."""
    offered = {FactorKind.TOTP: env.seal is not None, FactorKind.PASSKEY: env.policy.relying_party is not None}
    return SecondFactorEnrolmentRequired(env.policy.own_base, tuple(kind for kind, is_on in offered.items() if is_on))
