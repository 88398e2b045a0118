"""Figures of a run that nobody measured: all targets kept, or all missed."""

from measure.load import Measured
from measure.speed.results import (
    Checker,
    Checks,
    Chosen,
    Contender,
    Footprint,
    Idle,
    Limit,
    LoadedStart,
    Operation,
    Push,
    Results,
    ServiceStart,
)

_US = 1e-6
_LIMITS = {
    Limit.BARE_ME: 33,
    Limit.BARE_VERIFY: 31,
    Limit.HASH: 18_300,
    Limit.SIGNATURE: 1_300,
    Limit.REFRESH_SIGNATURE: 60,
    Limit.CHECK: 90,
    Limit.SELECT: 40,
    Limit.PASSKEY_SIGNATURE: 80,
}
_KEPT = {
    Operation.ME: 44,
    Operation.VERIFY: 42,
    Operation.ME_MISS: 380,
    Operation.LOGIN: 22_900,
    Operation.REFRESH: 2_400,
    Operation.LOGOUT: 590,
    Operation.REGISTER: 31_000,
    Operation.SECOND_STEP: 4_000,
    Operation.PASSKEY: 1_900,
}


def measured(cpu: float, seconds: float = 1.0) -> Measured:
    """A hundred, each of which cost `cpu` microseconds; `seconds` in all."""
    return Measured(100, seconds, 100 * cpu * _US, [n * 1e-5 for n in range(1, 101)])


def run_of(times: float = 1.0) -> Results:
    """Everything costs `times` as much as the targets allow, or a little less."""
    found = Results(chosen=Chosen("libsodium", {"argon2_cffi": 4.0, "libsodium": 2.2}), algorithms=("RS256", "EdDSA"))
    for limit, cpu in _LIMITS.items():
        found.limits[limit] = measured(cpu)
    for operation, cpu in _KEPT.items():
        found.operations[operation] = measured(cpu * times)
    for contender, seconds in zip(Contender, (1.0 * times, 1.9, 4.2), strict=True):
        found.hashes[contender] = measured(18_300)
        for operation in (Operation.ME, Operation.LOGIN, Operation.LOGOUT):
            found.beside[contender][operation] = measured(_KEPT[operation] * seconds, seconds)
    found.ceremonies = [0.05 * times]
    found.calm, found.flooded, found.flooded_elsewhere = (Measured(1, 1, 1, [n * 1e-3]) for n in (0.3, 1.9 * times, 1))
    found.delays = {push: [(1.1 if push is Push.NONE else 0.03) * times] for push in Push}
    found.footprints = {kind: Footprint(104 * times, 90, 120, [1.1 * times, 3]) for kind in ("sqlite", "postgresql")}
    found.idle = Idle(1_100, 0.1, [0.04 * times])
    found.revocations = 100_000
    found.loaded_starts = [LoadedStart(1.5, held * times, 0.005, [0.02]) for held in (0.009, 0.018, 0.09)]
    found.checks = {
        Checker.KIT: Checks([95 * times, 99 * times, 900], [4 * times, 19 * times, 900]),
        Checker.PYJWT: Checks([100] * 3, [100] * 3),
    }
    held = ((0.002, 0.019), (0.018, 0.003), (0.09, 0.09))
    found.service_starts = [ServiceStart(0.3, a * times, 0.001, b * times, 0.002, 67.6) for a, b in held]
    found.service_megabytes = 48.0
    return found
