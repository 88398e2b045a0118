"""How long a token that was signed out at one server is still let in by another."""

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
# Without push a trial takes as long as half a look at the record, so ten go on at once, and ask less often.
_LANES = {Push.NOTIFY: 1, Push.REDIS: 1, Push.NONE: 10}
_ASK_AGAIN_SECONDS = {Push.NOTIFY: 0.001, Push.REDIS: 0.001, Push.NONE: 0.01}
# Where in the other's second the log-out falls: spread evenly, however many trials there are.
_GOLDEN_RATIO = 0.618034


async def measure_delays(plan: Plan, push: Push, folder: Path, settings: dict[str, str]) -> list[float]:
    """Seconds from sending the log-out to the one server until the first refusal by the other, for each trial."""
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
    """Sign out at home, one token after the other; the seconds until each is refused at the other."""
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
    """Ask with `pause` seconds in between; return when the first refusal arrived."""
    while True:
        answer = await asker.ask(scripts.look(path, tokens))
        if answer.status == 401:
            return perf_counter()
        if answer.status != 200:
            raise UnexpectedAnswer(f"{answer.status} after a log-out: {answer.body!r}")
        await asyncio.sleep(pause)
