"""F21 to F26: the mail server refusing, silent, grudging, cut off; the mail worker killed; letters that come late."""

import asyncio
import time
from statistics import median

from measure.faults.cell import Cell, Run
from measure.faults.load import a_stranger
from tests.harness.fault_proxy import Fault

_WAITING = "SELECT count(*) FROM letters WHERE settled_at IS NULL AND refused_at IS NULL"
_ALL_SECONDS = 60.0


async def refused(run: Run) -> None:
    async with run.fault():
        run.stand.mail_link.set(Fault.REFUSE)
        await run.use(run.seconds)
        run.stand.mail_link.set(Fault.NONE)
    await _delivered_in_time(run)
    _alike(run)


async def silent(run: Run) -> None:
    before = _usual(run)
    async with run.fault():
        run.stand.mail_link.set(Fault.BLACK_HOLE)
        await run.use(run.seconds / 2)
        run.stand.mail_link.set(Fault.RESET)
        run.stand.mailbox.answer_to_all = "451 Try again later"
        run.stand.mail_link.set(Fault.NONE)
        await run.use(run.seconds / 2)
        run.stand.mailbox.answer_to_all = ""
    await _delivered_in_time(run)
    meanwhile = _usual(run, run.load.timeline.begun or 0.0)
    run.expect(
        "asking for a letter takes no longer",
        f"{before * 1e3:.0f} -> {meanwhile * 1e3:.0f} ms",
        meanwhile < before + 0.1,
    )


def _usual(run: Run, since: float = 0.0) -> float:
    """Return the median seconds of the requests for a reset letter that began from `since` on."""
    return median([r.seconds for r in run.load.timeline.requests if r.kind == "forgot" and r.begun >= since] or [0.0])


def _alike(run: Run) -> None:
    failed = {outcome: count for outcome, count in run.statuses("register", "forgot").items() if outcome[0] != "2"}
    run.expect("registering and asking for a reset answer 2xx", failed or "all", not failed)


async def _delivered_in_time(run: Run) -> None:
    begun = time.monotonic()
    seen = len(run.stand.mailbox.delivered)
    old = f"{_WAITING} AND (last_fault IS NOT NULL OR attempts > 1)"  # put off, or claimed again
    while (await run.stand.ask(old))[0][0] and time.monotonic() < begun + _ALL_SECONDS + 5:
        await asyncio.sleep(0.2)
    took = time.monotonic() - begun
    came = len(run.stand.mailbox.delivered) - seen
    run.expect("all letters delivered 60 s after the return", f"{came} letters in {took:.0f} s", took <= _ALL_SECONDS)


async def refused_for_good(run: Run) -> None:
    person = a_stranger()
    run.stand.mailbox.answers[person.email] = "550 No such mailbox"
    async with run.fault():
        await run.load.deeds.register(person)
        await run.use(run.seconds)
    tries = sum(email == person.email for _, email in run.stand.mailbox.attempts)
    run.expect("the refused letter is tried once", tries, tries == 1)
    dead = await run.stand.ask("SELECT count(*) FROM letters WHERE refused_at IS NOT NULL")
    run.expect("it is marked as refused", dead[0][0], dead[0][0] == 1)
    told = await run.stand.ask("SELECT count(*) FROM events WHERE kind = 'letter_refused'")
    run.expect("there is an event", told[0][0], told[0][0] == 1)


async def cut_before_the_answer(run: Run) -> None:
    async with run.fault():
        run.stand.mailbox.cut_before_answer = True
        await run.use(run.seconds)
        run.stand.mailbox.cut_before_answer = False
    await _delivered_in_time(run)
    box = run.stand.mailbox
    run.copies_allowed = len(box.cut)  # each letter was taken before its connection was cut, and is sent again
    copies = f"{box.copies()} copies of {len(box.cut)} that were cut"
    run.expect("a letter that was cut off comes again under the same Message-ID", copies, box.copies() > 0)


async def worker_killed(run: Run) -> None:
    for number in range(run.times):
        node = run.stand.nodes[number % 2]
        await asyncio.gather(*(run.load.deeds.register(a_stranger()) for _ in range(2)))
        async with run.fault():
            node.kill()
        await node.start()
    begun = time.monotonic()
    while (await run.stand.ask(_WAITING))[0][0] and time.monotonic() < begun + 75:
        await asyncio.sleep(0.5)
    left = (await run.stand.ask(_WAITING))[0][0]
    run.expect("the lease of 60 s gives every letter back", f"{left} left", left == 0)
    run.copies_allowed = run.times


async def late(run: Run) -> None:
    """Queue letters, date them a day back, and expect each link to work that arrives once the mail server is back."""
    people = [a_stranger() for _ in range(run.times)]
    async with run.fault():
        run.stand.mail_link.set(Fault.REFUSE)
        for person in people:
            await run.load.deeds.register(person)
        # Longer than a link lives: one that was made when the letter was queued would be dead now.
        await run.stand.ask("UPDATE letters SET created_at = created_at - interval '25 hours' WHERE settled_at IS NULL")
        await run.use(run.seconds)
        run.stand.mail_link.set(Fault.NONE)
    await _delivered_in_time(run)
    worked = 0
    for person in people:
        secrets = run.stand.mailbox.secrets(person.email, "verifyemail", 0.0)
        if secrets:
            answer = await run.load.balancer.ask("verify", "GET", f"/api/auth/verifyemail/{secrets[-1]}", {200})
            worked += answer.status_code == 200
    run.expect("every late letter's link works", f"{worked} of {run.times}", worked == run.times)


CELLS = (
    Cell(
        "F21",
        "mail server refuses",
        "the port is closed",
        "answers as ever; every letter arrives after, none twice",
        refused,
        seconds=30,
        text_seconds=600,
        short_seconds=5,
    ),
    Cell(
        "F22",
        "mail server silent, then grudging",
        "a black hole, then 451",
        "requests take no longer; back-off, nothing lost",
        silent,
        seconds=30,
        short_seconds=6,
    ),
    Cell(
        "F23",
        "one address refused",
        "550 to one address",
        "the others unaffected; tried once, marked, an event",
        refused_for_good,
        seconds=10,
        short_seconds=3,
    ),
    Cell(
        "F24",
        "cut before the 250",
        "the mail server takes the letter and hangs up",
        "delivered once or again, never lost",
        cut_before_the_answer,
        seconds=10,
        short_seconds=3,
    ),
    Cell(
        "F25",
        "mail worker killed",
        "kill -9 right after letters were queued",
        "a lease gives them back: lost 0",
        worker_killed,
        text=200,
        full=8,
        short=1,
    ),
    Cell(
        "F26",
        "letters that come late",
        "queued a day ago, sent now",
        "no letter with a dead link",
        late,
        full=20,
        short=3,
        seconds=5,
        short_seconds=2,
    ),
)
