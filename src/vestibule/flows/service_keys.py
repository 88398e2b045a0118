"""Service keys: create, list and revoke them, and identify a service by its key."""

from vestibule.flows.env import Env
from vestibule.flows.require_operator import lock_operator
from vestibule.flows.retry import retry_on_conflict
from vestibule.model import service_keys
from vestibule.model.errors import ServiceKeyInvalid
from vestibule.model.events import EventKind
from vestibule.model.operators import COMMAND_LINE, Operator
from vestibule.model.permissions import Permission
from vestibule.model.service_keys import ServiceKey


@retry_on_conflict
async def create_service_key(env: Env, name: str, operator: Operator = COMMAND_LINE) -> str | None:
    """Create a key for a service and return it, to be shown once; None if the service has a key already. Raises what
    `require_operator` raises.
    """
    key, now = service_keys.mint(), env.clock.now()
    digest = service_keys.digest_of(key) or ""  # a minted key always has a digest
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.SERVICES_CHANGE, now)
        added = await tx.service_keys.add(ServiceKey(name, digest, now))
        if added:
            await tx.events.record(operator.event(now, EventKind.SERVICE_CREATED, None, service=name))
    return key if added else None


async def list_service_keys(env: Env) -> list[ServiceKey]:
    """Return the key of every service that has one, ordered by the service's name."""
    async with env.store.reading() as read:
        return await read.service_keys.all()


@retry_on_conflict
async def revoke_service_key(env: Env, name: str, operator: Operator = COMMAND_LINE) -> bool:
    """Revoke the service's key; return False if it has none. The service's feed ends within a minute. Raises what
    `require_operator` raises.
    """
    now = env.clock.now()
    async with env.store.transaction() as tx:
        await lock_operator(tx, operator, Permission.SERVICES_CHANGE, now)
        removed = await tx.service_keys.remove(name)
        if removed:
            await tx.events.record(operator.event(now, EventKind.SERVICE_REVOKED, None, service=name))
    return removed


async def identify_service(env: Env, key: str) -> ServiceKey:
    """Return the stored key, which names its service; raises `ServiceKeyInvalid` if no service has this key."""
    digest = service_keys.digest_of(key)
    if digest is None:
        raise ServiceKeyInvalid
    async with env.store.reading() as read:
        found = await read.service_keys.with_digest(digest)
    if found is None:
        raise ServiceKeyInvalid
    return found
