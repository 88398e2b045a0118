"""The targets of docs/performance.md: judged by the figures of the run alone, with a reason for each that is missed."""

from measure.speed.limits import HASHES_AT_ONCE
from measure.speed.results import Checker, Checks, Contender, Operation
from measure.speed.targets import REASONS, judge, reasons
from tests.unit.measure.figures import measured, run_of
from vestibule.settings.fields import Settings


def test_what_is_kept_needs_no_reason() -> None:
    found = run_of()
    assert [target.key for target in judge(found) if not target.kept] == []
    assert reasons(found) == []


def test_everything_that_falls_short_says_why() -> None:
    """Each sentence follows its promise, and no reason is written for a target that is not there."""
    found = run_of(3.0)
    targets = judge(found)
    assert [target.key for target in targets if target.kept] == []
    assert {target.key for target in targets} == REASONS.keys()
    said = reasons(found)
    assert len(said) == len(targets)
    assert all(line.startswith(f"{target.promise}. ") for line, target in zip(said, targets, strict=True))
    assert all(line.endswith(".") for line in said)


def test_a_sign_in_is_held_against_the_hash_of_the_same_run() -> None:
    found = run_of()
    found.operations[Operation.LOGIN] = measured(18_300 + 5_100)
    [short] = [target for target in judge(found) if not target.kept]
    assert (short.key, short.limit, short.found) == ("login_work", "hash: 18.3 ms", "5.1 ms beside it")


def test_rates_are_compared_with_what_the_same_load_found() -> None:
    found = run_of()
    found.beside[Contender.BETTER_AUTH][Operation.LOGIN] = measured(60_000, 3.9)
    [short] = [target for target in judge(found) if not target.kept]
    assert (short.key, short.found) == ("login_better_auth", "100 a second, 3.90 times")
    del found.beside[Contender.BETTER_AUTH]
    assert "login_better_auth" not in {target.key for target in judge(found)}, "left out on this machine"


def test_the_start_counts_the_median_of_what_held_its_loop() -> None:
    found = run_of(1.2)
    [held] = [target for target in judge(found) if target.key == "held"]
    assert (held.found, held.kept) == ("22 ms (in CPU: 5 ms)", False)


def test_a_check_in_a_service_counts_the_median_and_is_held_against_pyjwt_of_the_same_run() -> None:
    found = run_of()
    found.checks[Checker.PYJWT] = Checks(unknown=[98.0, 98.0, 500.0], known=[94.0, 94.0, 500.0])
    short = [target for target in judge(found) if not target.kept]
    assert [(target.key, target.found) for target in short] == [
        ("check_known", "19.0 µs, 0.20 times"),
        ("check_unknown", "99.0 µs, 1.01 times"),
    ]


def test_hashes_are_measured_on_as_many_threads_as_the_server_has() -> None:
    assert Settings.model_fields["hash_threads"].default == HASHES_AT_ONCE
