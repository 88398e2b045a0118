"""Handlers that show and rotate the signing keys for operators."""

from starlette.responses import Response

from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.rotate_keys import KeysUnchanged, rotate_keys
from vestibule.model.operator_errors import KeysNotRotated
from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.web.api import answers
from vestibule.web.api.admin import installation_answers as shown
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator


async def list_keys(env: EnvDep) -> Response:
    """List the signing keys of access and of refresh tokens, without those that are gone. Never shows a private key."""
    return _listed(await stored_keys(env.store))


async def rotate(env: EnvDep, operator: ActingOperator) -> Response:
    """Let the next keys of both uses sign, retire the current ones, and publish new next ones. Signs nobody out.
    Refused until every service that caches the published keys has the next ones.
    """
    try:
        await rotate_keys(env, list(KeyUse), operator)
    except KeysUnchanged:
        raise KeysNotRotated from None
    return _listed(await stored_keys(env.store))


def in_order(keys: list[SealedKey]) -> list[SealedKey]:
    """Return the keys sorted by use, then by state: next, current, retired, gone."""
    return sorted(keys, key=lambda key: (key.use, list(KeyState).index(key.state)))


def _listed(keys: list[SealedKey]) -> Response:
    listed = [shown.ListedKey.of(key) for key in in_order(keys)]
    return answers.as_json(shown.ListedKeys(data=shown.KeysData(keys=listed)))
