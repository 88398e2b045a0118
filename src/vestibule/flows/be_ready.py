"""Be ready: tell a balancer whether this process should be sent requests, and look now and then whether it should."""

import structlog

from vestibule.flows.env import Env
from vestibule.model.errors import NotReady
from vestibule.model.readiness import Hindrance

_log = structlog.get_logger(__name__)


def hindrances(env: Env) -> list[Hindrance]:
    """What keeps this process from serving; nothing, if it is ready. Asks nobody."""
    return env.readiness.hindrances(env.revocations.trusted(env.clock.monotonic()))


def require_ready(env: Env) -> None:
    """Raises `NotReady`."""
    if hindrances(env):
        raise NotReady


async def look_at_schema(env: Env) -> None:
    """Note whether the schema is still the one this version works with; raises `StoreUnavailable`."""
    fits = await env.watching.fits()
    if env.readiness.schema_fits and not fits:
        _log.error("schema_does_not_fit", hint="another version has migrated the database; run that version here too")
    env.readiness.schema_fits = fits


def drain(env: Env) -> None:
    """From now on the process should be sent nothing more: no balancer finds it ready, and no connection is kept."""
    env.readiness.draining = True
    env.feed.close()
