"""F1 to F4: the server's own processes killed, ended and stopped."""

import asyncio
from collections import Counter

from measure.faults.cell import Cell, Run
from measure.faults.stand import Needs
from vestibule.crypto.entropy import spread

_FAILED = {"refused", "reset", "timeout", "500", "502", "503", "504"}


async def one_killed(run: Run) -> None:
    async with run.fault():
        for number in range(run.times):
            node = run.stand.nodes[number % 2]
            await run.use(spread(0.4))
            node.kill()
            await node.start()
    run.copies_allowed = run.times  # a letter may be on its way at each kill


async def all_killed(run: Run) -> None:
    ready = []
    for _ in range(run.times):
        async with run.fault():
            for node in run.stand.nodes:
                node.kill()
            ready += await asyncio.gather(*(node.start() for node in run.stand.nodes))
        await run.use(1.0)
    run.copies_allowed = 2 * run.times
    run.expect("ready within 5 s of the start, by itself", f"{max(ready):.1f} s at most", max(ready) <= 5)


async def rolling(run: Run) -> None:
    exits = []
    async with run.fault():
        for number in range(run.times):
            node = run.stand.nodes[number % 2]
            exits.append(await node.stop())
            await node.start()
            await run.load.balancer.seen(node.port)  # to stop the other one before that would leave no server
    line = run.load.timeline
    failed = dict(Counter(f"{r.kind}: {r.outcome}" for r in line.during if r.outcome in _FAILED))
    run.expect("no failed request", failed or "none", not failed)
    slowest = max(seconds for _, seconds in exits)
    run.expect("ends within 30 s, with status 0", f"{slowest:.1f} s", slowest <= 30 and not any(c for c, _ in exits))


async def one_stopped(run: Run) -> None:
    node = run.stand.nodes[0]
    async with run.fault():
        node.pause()
        await run.use(run.seconds)
        node.resume()
    late = run.load.timeline.between((run.load.timeline.begun or 0) + 2, run.load.timeline.ended or 0)
    failed = sum(not request.ok for request in late)
    run.expect("once the health check has seen it, nothing fails", f"{failed} of {len(late)}", failed == 0)


_KILLED = "kill -9, parent and worker, at random moments under load"
CELLS = (
    Cell(
        "F1",
        "one of two processes killed",
        _KILLED,
        "an operation is done or not done, never half; a retry works",
        one_killed,
        text=200,
        full=20,
        short=3,
        recovery=2.0,
    ),
    Cell(
        "F2",
        "all processes killed",
        "kill -9 both, start again",
        "refused until ready, ready within 5 s, no manual step",
        all_killed,
        text=1,
        full=3,
        short=1,
    ),
    Cell(
        "F3",
        "rolling restarts",
        "SIGTERM to one and then the other under load, as they drain in production",
        "no failed request, each ends in 30 s",
        rolling,
        needs=Needs(settings={"VESTIBULE_DRAIN_SECONDS": "5"}),
        text=50,
        full=50,
        short=2,
    ),
    Cell(
        "F4",
        "a process stopped",
        "SIGSTOP, then SIGCONT",
        "the health check takes it out; no double effects after",
        one_stopped,
        seconds=15,
        text_seconds=30,
        short_seconds=7,
        recovery=2.0,
    ),
)
