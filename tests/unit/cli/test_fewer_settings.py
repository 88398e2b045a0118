"""Settings that are gone: each is refused with what replaces it, and what replaces it does what it did."""

from datetime import timedelta

import pytest

from tests.harness.process import complaint
from tests.unit.cli.conftest import Refusal
from vestibule.model.limits import NetworkLimits, RateClass
from vestibule.model.retention import Retention
from vestibule.settings import names, reading
from vestibule.settings.fields import Settings, name_of
from vestibule.settings.to_policy import to_policy

SIGN_INS, HISTORY = "VESTIBULE_SIGN_INS_PER_NETWORK", "VESTIBULE_HISTORY_DAYS"
FORMER = {
    "VESTIBULE_REGISTRATIONS_PER_NETWORK": f"{SIGN_INS} now, a fifth",
    "VESTIBULE_MAIL_REQUESTS_PER_NETWORK": f"{SIGN_INS} now, two fifths",
    "VESTIBULE_REFRESHES_PER_NETWORK": f"{SIGN_INS} now, four times",
    "VESTIBULE_ACCOUNT_REQUESTS_PER_NETWORK": f"{SIGN_INS} now, twice",
    "VESTIBULE_LETTERS_PER_NETWORK": f"{SIGN_INS} now, a fifth",
    "VESTIBULE_PASSWORD_FAILURES_FREE": "20 now, or VESTIBULE_PASSWORD_FAILURES",
    "VESTIBULE_PASSWORD_WAIT_SECONDS": "900 now",
    "VESTIBULE_HASH_QUEUE": "32 for each of VESTIBULE_HASH_THREADS",
    "VESTIBULE_SESSION_DAYS": f"90 now, or {HISTORY}",
    "VESTIBULE_LETTER_DAYS": f"30 now, or {HISTORY}",
    "VESTIBULE_EVENT_DAYS": f"{HISTORY} now",
    "VESTIBULE_DEVICE_DAYS": "365 now",
    "VESTIBULE_SIGNING_KEY_BITS": "VESTIBULE_SIGNING_ALGORITHM now, as RS256-2048",
    "VESTIBULE_METRICS_PORT": "VESTIBULE_METRICS now, a port",
    "VESTIBULE_METRICS_HOST": "VESTIBULE_METRICS now, such as 0.0.0.0:9464",
}


@pytest.mark.parametrize("name", FORMER)
def test_a_setting_that_is_gone_is_refused_with_what_replaces_it(name: str, refusal: Refusal) -> None:
    said = complaint(refusal(**{name: "50"}))
    assert said.startswith(f"{name}: ")
    assert FORMER[name] in said


def test_the_table_is_whole_and_leads_to_what_is_there() -> None:
    assert names._FORMER.keys() == FORMER.keys()
    there = {name_of(field) for field in Settings.model_fields.values()}
    assert there.isdisjoint(FORMER)
    named = {
        word.strip(",;") for line in names._FORMER.values() for word in line.split() if word.startswith("VESTIBULE_")
    }
    assert named <= there


@pytest.mark.parametrize(
    ("sign_ins", "others"),
    [("300", (60, 120, 1200, 600, 60)), ("3000", (600, 1200, 12000, 6000, 600)), ("1", (1, 1, 4, 2, 1))],
)
def test_the_limits_of_a_network_follow_its_sign_ins(
    sign_ins: str, others: tuple[int, ...], nowhere: pytest.MonkeyPatch
) -> None:
    nowhere.setenv(SIGN_INS, sign_ins)
    rules = to_policy(reading.read())
    order = (RateClass.SIGN_IN, RateClass.REGISTER, RateClass.MAIL, RateClass.REFRESH, RateClass.ACCOUNT)
    assert rules.networks == NetworkLimits(dict(zip(order, (int(sign_ins), *others[:-1]), strict=True)))
    assert rules.letters.for_network.times == others[-1]


@pytest.mark.parametrize(
    ("days", "kept"),
    [(None, (365, 90, 30)), ("60", (60, 60, 30)), ("7", (7, 7, 7)), ("0", (0, 90, 30)), ("3650", (3650, 90, 30))],
)
def test_nothing_that_happened_is_kept_for_longer_than_history(
    days: str | None, kept: tuple[int, ...], nowhere: pytest.MonkeyPatch
) -> None:
    if days:
        nowhere.setenv(HISTORY, days)
    rules = to_policy(reading.read())
    found = rules.events_kept, rules.retention.sessions, rules.retention.letters
    assert found == tuple(timedelta(days=each) for each in kept)
    assert rules.retention.devices == Retention.devices == timedelta(days=365)


@pytest.mark.parametrize(("failures", "free"), [(None, 20), ("20", 20), ("5", 5)])
def test_few_wrong_passwords_make_nobody_wait(failures: str | None, free: int, nowhere: pytest.MonkeyPatch) -> None:
    if failures:
        nowhere.setenv("VESTIBULE_PASSWORD_FAILURES", failures)
    limits = to_policy(reading.read()).login_attempts
    assert (limits.free, limits.longest_wait) == (free, timedelta(minutes=15))


@pytest.mark.parametrize(("threads", "waiting"), [(None, 64), ("8", 256)])
def test_the_line_for_a_hash_grows_with_the_threads(
    threads: str | None, waiting: int, nowhere: pytest.MonkeyPatch
) -> None:
    if threads:
        nowhere.setenv("VESTIBULE_HASH_THREADS", threads)
    assert reading.read().hash_queue == waiting


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (None, None),
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:9464", ("0.0.0.0", 9464)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:65535", ("::1", 65535)),
    ],
)
def test_metrics_have_a_port_and_perhaps_an_address(
    given: str | None, where: tuple[str, int] | None, nowhere: pytest.MonkeyPatch
) -> None:
    if given:
        nowhere.setenv("VESTIBULE_METRICS", given)
    assert reading.read().metrics == where
