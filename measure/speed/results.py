"""What was measured, and the limit of each operation."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from measure.load import Measured


class Limit(StrEnum):
    """The unavoidable parts of operations, each measured alone."""

    BARE_ME = "bare answer"
    BARE_VERIFY = "bare answer without a body"
    HASH = "argon2id hash"
    """Made with the library that the server chose."""
    SIGNATURE = "signature of an access token"
    REFRESH_SIGNATURE = "signature of a refresh token"
    CHECK = "check of an access token's signature"
    SELECT = "SELECT by key"
    PASSKEY_SIGNATURE = "check of a passkey's signature"


class Operation(StrEnum):
    """What a client asks of Vestibule."""

    ME = "me, token known"
    VERIFY = "verify, token known"
    ME_MISS = "me, token never seen"
    LOGIN = "login"
    REFRESH = "refresh"
    LOGOUT = "logout"
    REGISTER = "register"
    SECOND_STEP = "login, second step with an app's code"
    PASSKEY = "passkey sign-in, answer"


class Push(StrEnum):
    """How another process hears of a sign-out."""

    NOTIFY = "PostgreSQL NOTIFY"
    REDIS = "Redis publish"
    NONE = "no push, one SQLite file"


class Contender(StrEnum):
    """The servers that are compared under the same load."""

    VESTIBULE = "Vestibule"
    FASTAPI_USERS = "FastAPI-Users"
    BETTER_AUTH = "Better Auth"


class Checker(StrEnum):
    """The libraries that a service may check access tokens with."""

    KIT = "Verifier.check"
    PYJWT = "PyJWT with PyJWKClient"


PARTS: dict[Operation, tuple[Limit, ...]] = {
    Operation.ME: (Limit.BARE_ME,),
    Operation.VERIFY: (Limit.BARE_VERIFY,),
    Operation.ME_MISS: (Limit.BARE_ME, Limit.CHECK, Limit.SELECT),
    Operation.LOGIN: (Limit.HASH,),
    Operation.REFRESH: (Limit.SIGNATURE, Limit.REFRESH_SIGNATURE),
    Operation.LOGOUT: (Limit.BARE_ME, Limit.SELECT),
    Operation.REGISTER: (Limit.HASH,),
    Operation.SECOND_STEP: (Limit.SIGNATURE, Limit.REFRESH_SIGNATURE),
    Operation.PASSKEY: (Limit.SIGNATURE, Limit.REFRESH_SIGNATURE, Limit.PASSKEY_SIGNATURE),
}


@dataclass(frozen=True)
class Footprint:
    """An idle server: resident megabytes of its worker and of its parent; the PSS of all its processes, in which memory
    that they share counts once (`together`); and the seconds from each start to the first answer.
    """

    worker: float
    parent: float
    together: float
    starts: list[float]


@dataclass(frozen=True)
class Chosen:
    """The library that the server hashes with, and the milliseconds that a small hash took with each."""

    library: str
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class Idle:
    """Connections kept open: how many, the longest that one of them waited for its first answer, and how long new ones
    waited beside them; in seconds.
    """

    open: int
    longest: float
    new: list[float]


@dataclass(frozen=True)
class LoadedStart:
    """A start beside many revocations: seconds to the first answer, the longest that the event loop was held (by the
    clock, and in CPU of its thread), and until log-outs at another process were refused.
    """

    first_answer: float
    held: float
    held_cpu: float
    delays: list[float]


@dataclass(frozen=True)
class Checks:
    """Microseconds of CPU of one check in each round: of a token never seen by this process, and of a known one."""

    unknown: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class ServiceStart:
    """A start of a service beside many revocations: seconds until it can decide, the longest that its own event loop
    and that of the kit were held (by the clock, and in CPU of the process), and its megabytes then.
    """

    ready: float
    held: float
    held_cpu: float
    kit_held: float
    kit_held_cpu: float
    megabytes: float


@dataclass
class Results:
    """Everything that one run measured."""

    operations: dict[Operation, Measured] = field(default_factory=lambda: defaultdict(Measured))
    limits: dict[Limit, Measured] = field(default_factory=lambda: defaultdict(Measured))
    chosen: Chosen = field(default_factory=lambda: Chosen("argon2-cffi", {}))
    algorithms: tuple[str, str] = ("", "")
    """The algorithms of the signatures of access and refresh tokens."""
    beside: dict[Contender, dict[Operation, Measured]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Measured))
    )
    hashes: dict[Contender, Measured] = field(default_factory=dict)
    left_out: dict[Contender, str] = field(default_factory=dict)
    """Why a server was not measured."""
    delays: dict[Push, list[float]] = field(default_factory=dict)
    footprints: dict[str, Footprint] = field(default_factory=dict)
    idle: Idle | None = None
    revocations: int = 0
    loaded_starts: list[LoadedStart] = field(default_factory=list)
    checks: dict[Checker, Checks] = field(default_factory=dict)
    service_starts: list[ServiceStart] = field(default_factory=list)
    service_megabytes: float = 0.0
    """The megabytes of a service that starts where nothing is revoked."""
    ceremonies: list[float] = field(default_factory=list)
    """The seconds of each sign-in by passkey, from asking for the challenge to the tokens, on one connection."""
    # The reads of one virtual user: alone, beside a crowd at the same process, and beside a crowd at another one.
    calm: Measured = field(default_factory=Measured)
    flooded: Measured = field(default_factory=Measured)
    flooded_elsewhere: Measured = field(default_factory=Measured)

    def limit_cpu(self, operation: Operation) -> float:
        """Return the microseconds of CPU that the operation's unavoidable parts cost together."""
        return sum(self.limits[part].cpu for part in PARTS[operation])

    def times_limit(self, operation: Operation) -> float:
        """Return the operation's CPU divided by that of its limit."""
        return self.operations[operation].cpu / self.limit_cpu(operation)
