"""F14 to F20: Redis restarted, gone, silent, emptied, rolled back, failed over and full."""

import asyncio
import shutil

from measure.faults.cell import Cell, Run
from measure.faults.ledger import claims
from measure.faults.stand import Needs
from measure.faults.timeline import Request
from tests.harness.fault_proxy import Fault
from tests.harness.redis_server import RedisServer
from tests.harness.servers import wait_until

_PAUSE_MS = 5000
_ANSWERS = {"200", "201", "401", "403"}
_NOISE = 0.002  # the share of requests by which the failures may differ


async def restarted(run: Run) -> None:
    for _ in range(run.times):
        async with run.fault():
            await asyncio.to_thread(run.stand.redis.restart)
        await run.use(1.0)
    _nobody_notices(run)


async def down(run: Run) -> None:
    async with run.fault():
        run.stand.redis.stop()
        await run.use(run.seconds)
        run.stand.redis.start()
    _nobody_notices(run)


async def silent(run: Run) -> None:
    async with run.fault():
        run.stand.redis_link.set(Fault.BLACK_HOLE)
        await run.use(run.seconds)
        run.stand.redis_link.set(Fault.NONE)
        run.stand.redis.client().execute_command("CLIENT", "PAUSE", _PAUSE_MS)
        await run.use(_PAUSE_MS / 1e3)
    _nobody_notices(run)
    waited = run.load.timeline.figures().p99_during or 0.0
    before = [r.seconds for r in run.load.timeline.requests if r.ended < (run.load.timeline.begun or 0)]
    usual = sorted(before)[int(len(before) * 0.99)]
    run.expect("p99 at most 500 ms above the usual", f"{waited - usual:+.2f} s", waited - usual <= 0.5)


async def emptied(run: Run) -> None:
    for _ in range(run.times):
        async with run.fault():
            run.stand.redis.client().flushall()
        await run.use(0.5)
        async with run.fault():
            await asyncio.to_thread(run.stand.redis.restart)
        await run.use(0.5)
    _nobody_notices(run)


async def rolled_back(run: Run) -> None:
    """Each time: take a snapshot, let people sign out and refresh, and restore the snapshot. The audit tries the
    tokens.
    """
    redis = run.stand.redis
    for _ in range(run.times):
        redis.client().save()
        kept = redis.folder / "kept.rdb"
        shutil.copyfile(redis.folder / "dump.rdb", kept)
        await run.use(1.0)
        ended = len(run.load.ledger.ended)
        while len(run.load.ledger.ended) == ended:
            await run.use(0.1)
        async with run.fault():
            redis.stop()
            shutil.copyfile(kept, redis.folder / "dump.rdb")
            redis.start()
        back = sum(_replicated(redis, item.access) for item in run.load.ledger.ended)
        run.expect("the roll-back did bring ended sessions back into Redis", back, back > 0)
        await run.use(1.0)
    _nobody_notices(run)


def _replicated(redis: RedisServer, access: str) -> bool:
    return bool(redis.client().exists(f"session:{claims(access)['sid']}"))


async def full(run: Run) -> None:
    redis = run.stand.redis.client()
    used = int(redis.info("memory")["used_memory"])
    async with run.fault():
        redis.config_set("maxmemory", str(used))
        redis.config_set("maxmemory-policy", "noeviction")
        await run.use(run.seconds / 2)
        redis.config_set("maxmemory-policy", "allkeys-lru")
        await run.use(run.seconds / 2)
        await run.stand.nodes[0].stop()
        await run.stand.nodes[0].start()
        redis.config_set("maxmemory", "0")
    _nobody_notices(run)
    warned = "maxmemory" in "".join(node.output() for node in run.stand.nodes)
    run.expect("the start warns of a policy other than noeviction", warned, warned)


def _nobody_notices(run: Run) -> None:
    """Expect no more failures than before the fault, because Redis holds only what may be lost. On a busy machine, some
    requests always fail.
    """
    line = run.load.timeline
    during, before = _failing(line.during), _failing(line.between(0.0, line.begun or 0.0))
    measured = f"{during:.1%}, before it {before:.1%}"
    run.expect("no more requests fail than before the fault", measured, during <= before + _NOISE)


def _failing(requests: list[Request]) -> float:
    """Return the share of requests that failed, without those for a server that the cell itself had stopped."""
    requests = [request for request in requests if request.outcome != "absent"]
    return sum(request.outcome not in _ANSWERS for request in requests) / max(len(requests), 1)


async def failed_over(run: Run) -> None:
    """Lead the proxy to a replica, which refuses writes until it is promoted, and lacks what had not reached it."""
    replica = RedisServer()
    replica.start("--replicaof", "127.0.0.1", str(run.stand.redis.port))
    wait_until(lambda: replica.client().info("replication")["master_link_status"] == "up", "the replica")
    try:
        async with run.fault():
            run.stand.redis_link.set(Fault.RESET)
            run.stand.redis_link.aim(replica.port)
            run.stand.redis_link.set(Fault.NONE)
            await run.use(run.seconds)
            replica.client().execute_command("REPLICAOF", "NO", "ONE")
        _nobody_notices(run)
        await run.use(1.0)
    finally:
        run.stand.redis_link.aim(run.stand.redis.port)
        replica.remove()


CELLS = (
    Cell(
        "F14",
        "Redis restarted",
        "SIGTERM and a new start, append-only file",
        "nothing fails, no session is lost",
        restarted,
        full=5,
        short=1,
        recovery=2.0,
    ),
    Cell(
        "F15",
        "Redis down",
        "stopped, started again",
        "all from SQL; a log-out is durable all the same",
        down,
        seconds=20,
        text_seconds=60,
        short_seconds=5,
        recovery=2.0,
    ),
    Cell(
        "F16",
        "Redis silent, then slow",
        "the link is a black hole, then CLIENT PAUSE for 5 s",
        "a short wait, no pile-up",
        silent,
        seconds=15,
        short_seconds=3,
        recovery=2.0,
    ),
    Cell(
        "F17",
        "Redis emptied",
        "FLUSHALL, and a restart without persistence",
        "nobody is signed out, nobody let in",
        emptied,
        needs=Needs(redis_options=("--appendonly", "no")),
        full=6,
        short=2,
        recovery=2.0,
    ),
    Cell(
        "F18",
        "Redis rolled back",
        "a snapshot from before log-outs is restored",
        "who signed out stays out",
        rolled_back,
        needs=Needs(redis_options=("--appendonly", "no")),
        text=100,
        full=10,
        short=2,
        recovery=2.0,
    ),
    Cell(
        "F19",
        "Redis fails over",
        "the link leads to a replica (READONLY), which is promoted by hand: Sentinel itself is not run",
        "nothing fails",
        failed_over,
        seconds=10,
        short_seconds=3,
        recovery=10.0,
    ),
    Cell(
        "F20",
        "Redis full",
        "maxmemory reached: noeviction, then allkeys-lru",
        "nothing fails; a start warns of the policy",
        full,
        seconds=10,
        short_seconds=4,
        recovery=2.0,
    ),
)
