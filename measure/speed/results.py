"""What was measured, what each operation is held against, and whether the targets were met."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from measure.load import Measured, percentile
from measure.speed.plan import FLOOD


class Limit(StrEnum):
    """The unavoidable parts, each measured alone."""

    BARE_ME = "bare answer"
    BARE_VERIFY = "bare answer without a body"
    HASH = "argon2id hash"
    SIGNATURE = "RS256 signature"
    CHECK = "RS256 check"
    SELECT = "SELECT by key"


class Operation(StrEnum):
    """What a client asks of Vestibule."""

    ME = "me, token known"
    VERIFY = "verify, token known"
    ME_MISS = "me, token never seen"
    LOGIN = "login"
    REFRESH = "refresh"
    LOGOUT = "logout"
    REGISTER = "register"


class Push(StrEnum):
    """How the other process hears of a log-out."""

    NOTIFY = "PostgreSQL NOTIFY"
    REDIS = "Redis publish"
    NONE = "no push, one SQLite file"


PARTS: dict[Operation, tuple[Limit, ...]] = {
    Operation.ME: (Limit.BARE_ME,),
    Operation.VERIFY: (Limit.BARE_VERIFY,),
    Operation.ME_MISS: (Limit.BARE_ME, Limit.CHECK, Limit.SELECT),
    Operation.LOGIN: (Limit.HASH,),
    Operation.REFRESH: (Limit.SIGNATURE, Limit.SIGNATURE),
    Operation.LOGOUT: (Limit.BARE_ME, Limit.SELECT),
    Operation.REGISTER: (Limit.HASH,),
}


@dataclass(frozen=True)
class Footprint:
    """One server with nothing to do: megabytes of its worker and its parent, and seconds to each first answer."""

    worker: float
    parent: float
    starts: list[float]


@dataclass
class Results:
    """Everything that one run found out."""

    operations: dict[Operation, Measured] = field(default_factory=lambda: defaultdict(Measured))
    limits: dict[Limit, Measured] = field(default_factory=lambda: defaultdict(Measured))
    peer: dict[Operation, Measured] = field(default_factory=lambda: defaultdict(Measured))
    delays: dict[Push, list[float]] = field(default_factory=dict)
    footprints: dict[str, Footprint] = field(default_factory=dict)
    calm: Measured = field(default_factory=Measured)
    flooded: Measured = field(default_factory=Measured)
    flooded_elsewhere: Measured = field(default_factory=Measured)

    def limit_cpu(self, operation: Operation) -> float:
        """Microseconds of CPU that the operation's unavoidable parts cost together."""
        return sum(self.limits[part].cpu for part in PARTS[operation])

    def times_limit(self, operation: Operation) -> float:
        """How many times its limit an operation costs."""
        return self.operations[operation].cpu / self.limit_cpu(operation)


@dataclass(frozen=True)
class Target:
    """A promise, and what came of it."""

    promise: str
    found: str
    kept: bool


def judge(results: Results) -> list[Target]:
    """The targets, in the order of the table."""
    me, refresh = results.times_limit(Operation.ME), results.times_limit(Operation.REFRESH)
    share = results.operations[Operation.LOGIN].rate / results.limits[Limit.HASH].rate
    worker = max(footprint.worker for footprint in results.footprints.values())
    start = max(min(footprint.starts) for footprint in results.footprints.values())
    return [
        Target("`me` with a known token: CPU within 1.5 times a bare answer's", f"{me:.2f} times", me <= 1.5),
        Target("`login`: at least 85 % of the raw hash rate", f"{share:.0%}", share >= 0.85),
        Target("`refresh`: CPU within 2 times its two signatures", f"{refresh:.2f} times", refresh <= 2),
        _flood(results),
        *(_delay(push, delays) for push, delays in results.delays.items()),
        Target("Memory of one idle process: under 110 MB", f"{worker:.0f} MB", worker < 110),
        Target("Start to first answer: under 1.5 s", f"{start:.2f} s", start < 1.5),
    ]


def _flood(results: Results) -> Target:
    times = results.flooded.percentile(99) / results.calm.percentile(99)
    promise = f"p99 of `me` while {FLOOD} sign in at once: within twice its calm value"
    return Target(promise, f"{times:.2f} times", times <= 2)


def _delay(push: Push, delays: list[float]) -> Target:
    bound = 1.2 if push is Push.NONE else 0.05
    found = percentile(delays, 99)
    return Target(
        f"Log-out refused by the other process ({push}): p99 within {bound * 1000:.0f} ms",
        f"{found * 1000:.0f} ms",
        found <= bound,
    )
