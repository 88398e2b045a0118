"""Judge the targets: what was promised, the limit beside it, what this run found, and why a target is missed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from measure.load import percentile
from measure.speed.plan import FLOOD
from measure.speed.results import Checker, Contender, Limit, Operation, Push, Results
from tests.harness.backends import POSTGRESQL


@dataclass(frozen=True)
class Target:
    """A promise, with the limit that the same run measured, what was found, and whether the promise was kept."""

    key: str
    promise: str
    limit: str
    found: str
    kept: bool


def judge(results: Results) -> list[Target]:
    """Return the targets, in the order of the table, without those of what was not measured."""
    targets = (_requests, _second_factors, _rates, _beside_a_crowd, _resources, _revocations, _services)
    return [target for some in targets for target in some(results)]


def reasons(results: Results) -> list[str]:
    """Return a sentence for each target that is missed."""
    short = [target for target in judge(results) if not target.kept]
    return [f"{target.promise}. {REASONS[target.key](results)}" for target in short]


def _requests(results: Results) -> Iterator[Target]:
    me = results.times_limit(Operation.ME)
    found = f"{_us(results.operations[Operation.ME].cpu)}, {me:.2f} times"
    promise = "`me` with a known token: CPU within 1.4 times a bare answer's"
    yield Target("me_known", promise, f"bare answer: {_us(results.limit_cpu(Operation.ME))}", found, me <= 1.4)
    work = results.operations[Operation.LOGIN].cpu - results.limit_cpu(Operation.LOGIN)
    hashed = f"hash: {_ms(results.limit_cpu(Operation.LOGIN))}"
    yield _within(
        results, "me_new", Operation.ME_MISS, "`me` with a token never seen", 400, "check, SELECT, bare answer"
    )
    promise = "`login`: at most 5 ms of CPU beside the hash"
    yield Target("login_work", promise, hashed, f"{_ms(work)} beside it", work <= 5_000)
    yield _within(results, "register", Operation.REGISTER, "`register` with its letter", 32_000, "hash")
    yield _within(results, "refresh", Operation.REFRESH, "`refresh`", 2_500, "signatures")
    yield _within(results, "logout", Operation.LOGOUT, "`logout`", 600, "bare answer, SELECT")


def _second_factors(results: Results) -> Iterator[Target]:
    work = results.operations[Operation.PASSKEY].cpu - results.limit_cpu(Operation.PASSKEY)
    promise = "Passkey sign-in: at most 500 µs of CPU beside the signatures"
    signatures = f"signatures: {_ms(results.limit_cpu(Operation.PASSKEY))}"
    yield Target("passkey_work", promise, signatures, f"{_us(work)} beside them", work <= 500)
    if results.ceremonies:
        found, promise = percentile(results.ceremonies, 50) * 1e3, "Passkey sign-in, whole ceremony: p50 within 60 ms"
        yield Target("ceremony", promise, "", f"{found:.1f} ms", found <= 60)


def _within(results: Results, key: str, operation: Operation, what: str, most: float, parts: str) -> Target:
    spent, shown = results.operations[operation].cpu, _ms if most >= 1_000 else _us
    limit = f"{parts}: {shown(results.limit_cpu(operation))}"
    bound = f"{most / 1e3:g} ms" if most >= 1_000 else f"{most:g} µs"
    return Target(key, f"{what}: at most {bound} of CPU", limit, shown(spent), spent <= most)


def _rates(results: Results) -> Iterator[Target]:
    for key, contender, least in (
        ("login_fastapi_users", Contender.FASTAPI_USERS, 1.8),
        ("login_better_auth", Contender.BETTER_AUTH, 4.0),
    ):
        if contender in results.beside:
            ours, theirs = (results.beside[each][Operation.LOGIN].rate for each in (Contender.VESTIBULE, contender))
            promise = f"`login`: at least {least:g} times the rate of {contender}"
            found = f"{ours:.0f} a second, {ours / theirs:.2f} times"
            yield Target(key, promise, f"{contender}: {theirs:.0f} a second", found, ours >= least * theirs)


def _beside_a_crowd(results: Results) -> Iterator[Target]:
    found, calm = results.flooded.percentile(99), results.calm.percentile(99)
    promise = f"p99 of `me` while {FLOOD} sign in at once, one worker: within 2 ms"
    yield Target("crowd", promise, f"calm: {calm:.2f} ms", f"{found:.2f} ms", found <= 2)
    if results.idle is not None:
        longest = max(results.idle.new) * 1e3
        promise = f"{results.idle.open:,} connections open and idle: a new one is answered within 50 ms"
        yield Target("idle", promise, "", f"{longest:.1f} ms at most", longest <= 50)


def _resources(results: Results) -> Iterator[Target]:
    footprint = results.footprints[POSTGRESQL]
    found = f"{footprint.worker:.0f} MB; PSS of all processes {footprint.together:.0f} MB"
    promise = "Memory of an idle worker on PostgreSQL: at most 105 MB (RSS)"
    yield Target("memory", promise, f"parent: {footprint.parent:.0f} MB", found, footprint.worker <= 105)
    start = min(footprint.starts)
    yield Target("start", "Start to the first answer on PostgreSQL: within 1.2 s", "", f"{start:.2f} s", start <= 1.2)


def _revocations(results: Results) -> Iterator[Target]:
    if results.loaded_starts:
        held = median(start.held for start in results.loaded_starts) * 1e3
        cpu = median(start.held_cpu for start in results.loaded_starts) * 1e3
        promise = f"A start beside {results.revocations:,} revocations: the event loop is never held longer than 20 ms"
        yield Target("held", promise, "", f"{held:.0f} ms (in CPU: {cpu:.0f} ms)", held <= 20)
    for push, delays in results.delays.items():
        bound, found = 1_200 if push is Push.NONE else 50, percentile(delays, 99) * 1e3
        promise = f"Log-out refused by the other process ({push}): p99 within {bound:,} ms"
        yield Target(f"delay_{push.name.lower()}", promise, "", f"{found:.0f} ms", found <= bound)


def _services(results: Results) -> Iterator[Target]:
    if results.checks:
        for key, most, promise in (
            ("check_known", 0.2, "A service's check of a known token: at most a fifth of the CPU that PyJWT takes"),
            ("check_unknown", 1.0, "A service's check of a token never seen: at most the CPU that PyJWT takes"),
        ):
            ours, theirs = (median(getattr(results.checks[c], key.removeprefix("check_"))) for c in Checker)
            found = f"{ours:.1f} µs, {ours / theirs:.2f} times"
            yield Target(key, promise, f"PyJWT with PyJWKClient: {theirs:.0f} µs", found, ours <= most * theirs)
    if results.service_starts:
        held = median(max(start.held, start.kit_held) for start in results.service_starts) * 1e3
        cpu = median(max(start.held_cpu, start.kit_held_cpu) for start in results.service_starts) * 1e3
        promise = (
            f"A service's start beside {results.revocations:,} revocations: no event loop is held longer than 20 ms"
        )
        yield Target("service_held", promise, "", f"{held:.0f} ms (in CPU: {cpu:.0f} ms)", held <= 20)


def _us(cpu: float) -> str:
    return f"{cpu:,.0f} µs"


def _ms(cpu: float) -> str:
    return f"{cpu / 1e3:,.1f} ms"


def _hash_ms(results: Results, contender: Contender) -> str:
    return _ms(results.hashes[contender].cpu)


def _same_hash(results: Results) -> str:
    ours, theirs = (_hash_ms(results, each) for each in (Contender.VESTIBULE, Contender.FASTAPI_USERS))
    return (
        f"Both check the same argon2id hash, which takes {ours} with {results.chosen.library} here and {theirs} with "
        "argon2-cffi, and Vestibule's hashing threads share the cores with the database and the load."
    )


def _other_hash(results: Results) -> str:
    ours, theirs = (_hash_ms(results, each) for each in (Contender.VESTIBULE, Contender.BETTER_AUTH))
    return f"The hashes decide: Better Auth's scrypt takes {theirs} of CPU here, argon2id {ours}."


REASONS: dict[str, Callable[[Results], str]] = {
    "me_known": lambda _: (
        "A bare answer reads nothing of the request; `me` reads its headers, finds the token in memory and looks "
        "whether it was revoked."
    ),
    "me_new": lambda r: (
        f"The check and the SELECT alone take {_us(r.limits[Limit.CHECK].cpu + r.limits[Limit.SELECT].cpu)}; the rest "
        "is a connection of the pool, reading the session and its account, and making the answer."
    ),
    "login_work": lambda r: (
        f"The two signatures take {_ms(r.limit_cpu(Operation.REFRESH))} of it; the rest counts the attempt, reads the "
        "account, opens the session with its event and device, and commits."
    ),
    "login_fastapi_users": _same_hash,
    "login_better_auth": _other_hash,
    "register": lambda r: (
        f"The hash takes {_ms(r.limit_cpu(Operation.REGISTER))} here; beside it the same process makes the account, "
        "queues the letter, composes it and delivers it."
    ),
    "refresh": lambda r: (
        f"The two signatures take {_ms(r.limit_cpu(Operation.REFRESH))} ({' and '.join(r.algorithms)}); the rest is "
        "rotating the session in one transaction."
    ),
    "passkey_work": lambda _: (
        "It reads the passkey and its account, uses the question up, opens the session with its event and device, and "
        "commits."
    ),
    "ceremony": lambda _: "Two requests, one of which writes.",
    "logout": lambda _: (
        "It ends the session, records the revocation and an event, and wakes the others, in one commit."
    ),
    "crowd": lambda r: (
        "Hashing threads, the database and the load share the cores of one machine; with the crowd at another process "
        f"it is {r.flooded_elsewhere.percentile(99):.2f} ms."
    ),
    "idle": lambda _: "All connections are accepted and answered by one event loop.",
    "memory": lambda _: "The imports take it: FastAPI, SQLAlchemy, the driver and the libraries for keys and hashes.",
    "start": lambda _: "The imports take it, and they run on one core.",
    "held": lambda _: (
        "A start reads the record in pages and lets others run in between; what holds the loop longest is one page, "
        "or the first requests, which load what they need."
    ),
    "check_known": lambda _: (
        "It hashes the token, finds its caller in memory, and looks whether its key, its time and its session still "
        "stand."
    ),
    "check_unknown": lambda _: "The signature takes most of it; then the claims are judged and remembered.",
    "service_held": lambda _: (
        "The kit reads on a thread of its own, and both threads share one interpreter, which changes between them "
        "after 5 ms."
    ),
    "delay_notify": lambda _: "The other process was busy, or the database late, in one log-out of a hundred.",
    "delay_redis": lambda _: "The other process was busy, or Redis late, in one log-out of a hundred.",
    "delay_none": lambda _: "The other process looks once a second, and was late in one log-out of a hundred.",
}
