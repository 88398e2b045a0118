"""Be ready: tell a load balancer whether to send this process requests; check schema and clock in the background."""

import structlog

from vestibule.flows.env import Env
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import NotReady
from vestibule.state.readiness import Hindrance

_CLOCK_DIFFERS = (
    "this machine's clock differs from the database's; nobody is answered until they agree: timedatectl set-ntp true"
)
_log = structlog.get_logger(__name__)


def hindrances(env: Env) -> list[Hindrance]:
    """Return the reasons why this process cannot serve; an empty list if it is ready. Does no I/O."""
    return env.readiness.hindrances(env.revocations.trusted(env.clock.monotonic()))


def require_ready(env: Env) -> None:
    """Raise `NotReady` if there is a reason why this process cannot serve."""
    if hindrances(env):
        raise NotReady


async def check_schema(env: Env) -> None:
    """Note in `readiness` whether the schema still fits this version; raises `StoreUnavailable`."""
    fits = await env.watching.schema_fits()
    if env.readiness.schema_fits and not fits:
        _log.error("schema_does_not_fit", hint="another version has migrated the database; run that version here too")
    env.readiness.schema_fits = fits


async def check_clock(env: Env) -> bool:
    """Compare this machine's clock with the database's; return whether they agree. While they differ, this process
    answers no requests and distrusts what it remembers. Raises `StoreUnavailable`.
    """
    before = env.clock.now()
    database_time = await env.database_clock.now()
    if database_time is None:
        return True
    # The database's clock was read between two readings of ours, so a slow answer is not taken for a difference.
    apart = max(before - database_time, database_time - env.clock.now())
    agrees = apart <= MOST_APART
    if not agrees:
        env.revocations.distrust()
        if env.readiness.clock_agrees:
            _log.error("clock_differs", seconds=round(apart.total_seconds()), hint=_CLOCK_DIFFERS)
    elif not env.readiness.clock_agrees:
        _log.warning("clock_agrees_again")
    env.readiness.clock_agrees = agrees
    return agrees


def drain(env: Env) -> None:
    """Stop taking new work: from now on this process reports that it is not ready. End the feeds of services, whose
    connections would stay open.
    """
    env.readiness.draining = True
    env.feed.close()
