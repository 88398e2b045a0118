"""`python -m measure.speed.services.start`: start a service's `Verifier`, and find how long event loops are held.

Prints how many revocations it knows, the seconds until it can decide checks, and the longest hold of the service's own
loop and of the kit's, each by the clock and in CPU of the process. Then it waits until its input ends, so that another
process can read its memory.
"""

import asyncio
import json
import sys
from time import perf_counter, process_time

from measure.speed.services.first_and_again import arguments
from vestibule.client import Verifier

_TICK_SECONDS = 0.001
_READY_SECONDS = 60.0


def main() -> None:
    """Run the command."""
    url, service_key, _ = arguments()
    verifier = Verifier(url, service_key)
    print(json.dumps(asyncio.run(_watched_start(verifier))), flush=True)
    sys.stdin.read()
    verifier.close()


async def _watched_start(verifier: Verifier) -> tuple[int, float, list[float], list[float]]:
    begun = perf_counter()
    over = asyncio.Event()
    here = asyncio.create_task(_longest_hold(over))
    await asyncio.sleep(10 * _TICK_SECONDS)  # it watches before anything starts
    following, kits_over = verifier._here(), asyncio.Event()
    following.begin()
    kits = asyncio.create_task(following._supervised.call_async(lambda _: _longest_hold(kits_over), 2 * _READY_SECONDS))
    await asyncio.to_thread(verifier.wait_ready, _READY_SECONDS)
    ready = perf_counter() - begun
    over.set()
    kits_over.set()  # seen at its next tick: the loop need not be woken
    return len(following.memory.revoked), ready, await here, await kits


async def _longest_hold(over: asyncio.Event) -> list[float]:
    """Return the seconds that the loop was held at most until `over`: by the clock, and of CPU that was spent."""
    longest, longest_cpu = 0.0, 0.0
    while not over.is_set():
        before, cpu_before = perf_counter(), process_time()
        await asyncio.sleep(_TICK_SECONDS)
        late = perf_counter() - before - _TICK_SECONDS
        longest = max(longest, late)
        longest_cpu = max(longest_cpu, min(late, process_time() - cpu_before))
    return [longest, longest_cpu]


if __name__ == "__main__":
    main()
