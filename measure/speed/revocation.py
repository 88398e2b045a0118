"""Measure how long a token that was signed out at one server is still accepted by another."""

import asyncio
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from time import perf_counter

from measure import scripts
from measure.load import measure
from measure.scripts import ME, Tokens
from measure.server import vestibule
from measure.speed.plan import WRITERS, Plan
from measure.speed.results import Push
from measure.wire import Asker, UnexpectedAnswer

_SESSIONS_EACH = 50  # an account may have 100
# Without push, the other server reads the record once a second, so a trial takes half a second on average. Therefore
# ten go on at once, and ask less often.
_LANES = {Push.NOTIFY: 1, Push.REDIS: 1, Push.NONE: 10}
_ASK_AGAIN_SECONDS = {Push.NOTIFY: 0.001, Push.REDIS: 0.001, Push.NONE: 0.01}
# Without push, each sign-out waits first for a multiple of this, modulo one second. So the trials are spread evenly
# over the second between two reads of the record, for any number of trials.
_GOLDEN_RATIO = 0.618034


async def measure_delays(plan: Plan, push: Push, folder: Path, settings: dict[str, str]) -> list[float]:
    """Return for each trial the seconds from sending the sign-out to one server until the other first refuses the
    token.
    """
    async with vestibule(folder, settings) as home, vestibule(folder, settings) as elsewhere:
        emails = [f"ada{n}@example.com" for n in range(ceil(plan.trials / _SESSIONS_EACH))]
        async with Asker(home.port) as asker:
            for email in emails:
                await asker.ask(scripts.registration(email), expected=201)
        signed_in: list[Tokens] = []
        await measure(home, scripts.signing_in(emails, signed_in, WRITERS, most=plan.trials), 600, 200)
        trials = iter(enumerate(signed_in))
        lanes = (lane(push, home.port, elsewhere.port, trials) for _ in range(_LANES[push]))
        return [delay for lane in await asyncio.gather(*lanes) for delay in lane]


async def lane(push: Push, home: int, elsewhere: int, trials: Iterator[tuple[int, Tokens]]) -> list[float]:
    """Sign out at the server `home`, one token after the other. Return the seconds until `elsewhere` refuses each. Both
    are ports.
    """
    delays = []
    async with Asker(home) as at_home, Asker(elsewhere) as at_the_other:
        for number, tokens in trials:
            await at_the_other.ask(scripts.look(ME, tokens), expected=200)
            if push is Push.NONE:
                await asyncio.sleep(number * _GOLDEN_RATIO % 1)
            refused = asyncio.create_task(refused_at(at_the_other, tokens, _ASK_AGAIN_SECONDS[push]))
            sent_at = perf_counter()
            await at_home.ask(scripts.sign_out(tokens), expected=200)
            delays.append(await refused - sent_at)
    return delays


async def refused_at(asker: Asker, tokens: Tokens, pause: float, path: str = ME) -> float:
    """Ask again and again, with `pause` seconds in between. Return the time of the first 401, as `perf_counter` has it.
    Raises `UnexpectedAnswer` for a status other than 200 and 401.
    """
    while True:
        answer = await asker.ask(scripts.look(path, tokens))
        if answer.status == 401:
            return perf_counter()
        if answer.status != 200:
            raise UnexpectedAnswer(f"{answer.status} after a log-out: {answer.body!r}")
        await asyncio.sleep(pause)
