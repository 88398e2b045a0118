"""What settings alone tell: weak choices, cookies that no browser would send, proxies believed or not, open files."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.harness.unprivileged import as_somebody_else, let_reach
from tests.unit.doctor import FAULT, FINE, HINT, WARNING, severity_of
from tests.unit.doctor.conftest import Chosen
from vestibule.doctor import at_start, browsers, proxies, weak_settings
from vestibule.model.findings import Finding, Severity
from vestibule.settings.fields import Settings

SECRET = "a secret that is long enough to be one, 123456"


def look(chosen: Settings) -> list[Finding]:
    return [*weak_settings.check(chosen), *browsers.check(chosen), *proxies.check(chosen)]


def test_the_defaults_are_fine(chosen: Chosen) -> None:
    assert {finding.severity for finding in look(chosen())} == {FINE}


def test_good_settings_for_production_are_fine(chosen: Chosen, production: dict[str, str]) -> None:
    settings = chosen(**production, VESTIBULE_PASSKEY_DOMAIN="example.com")
    assert {finding.severity for finding in look(settings)} == {FINE}


IN_PRODUCTION = [
    ({"VESTIBULE_LOG_LEVEL": "debug"}, HINT, "VESTIBULE_LOG_LEVEL is debug"),
    ({"VESTIBULE_PASSWORD_MIN_LENGTH": "8"}, HINT, "passwords of 8 characters"),
    ({"VESTIBULE_EMAIL_VERIFICATION": "optional"}, HINT, "before their email is verified"),
    ({"ORIGIN": ""}, HINT, "ORIGIN is not set"),
    ({"VESTIBULE_URL": "http://auth.localhost"}, FAULT, "one has TLS, the other not"),
    ({"ORIGIN": "https://app.example.org"}, WARNING, "app.example.org and the server auth.example.com seem to be"),
    (
        {"VESTIBULE_URL": "https://10.0.0.1", "ORIGIN": "https://192.168.0.1"},
        WARNING,
        "192.168.0.1 and the server 10.0.0.1 seem to be different sites",
    ),
    ({"ORIGIN": "https://localhost"}, HINT, "the app at https://localhost is not on this server's site"),
    ({"ORIGIN": "https://app.example.com,http://localhost:5173"}, HINT, "the app at http://localhost:5173 is not on"),
    ({"VESTIBULE_TRUSTED_PROXIES": ""}, WARNING, "so no proxy is trusted"),
    ({"VESTIBULE_TRUSTED_PROXIES": "10.0.0.1,0.0.0.0/0"}, WARNING, "every machine in 0.0.0.0/0 is trusted"),
]
ANYWHERE = [
    ({"VESTIBULE_HOST": "0.0.0.0"}, WARNING, "development mode on 0.0.0.0"),
    ({"VESTIBULE_URL": "https://auth.example.com"}, WARNING, "and VESTIBULE_URL is https://auth.example.com"),
    ({"VESTIBULE_PASSWORD_HASH": "bcrypt"}, HINT, "hashed with bcrypt"),
    ({"VESTIBULE_REFRESH_ROTATION": "off"}, WARNING, "do not rotate"),
    ({"VESTIBULE_SESSION_IDLE_SECONDS": "8640000", "VESTIBULE_SESSION_SECONDS": "8640000"}, HINT, "100 idle days"),
    ({"VESTIBULE_SECRET_KEY": SECRET, "VESTIBULE_SECRET_KEY_OLD": SECRET[::-1]}, HINT, "_OLD is still set"),
    ({"ORIGIN": "http://127.0.0.1:3000"}, WARNING, "the front-end is at http://127.0.0.1:3000"),
    ({"ORIGIN": "https://localhost:3000"}, WARNING, "http://localhost:8000: one has TLS, the other not"),
    ({"VESTIBULE_URL": "https://localhost"}, WARNING, "https://localhost: one has TLS, the other not"),
]


@pytest.mark.parametrize(("given", "severity", "words"), IN_PRODUCTION)
def test_in_production(
    chosen: Chosen, production: dict[str, str], given: dict[str, str], severity: Severity, words: str
) -> None:
    assert severity_of(look(chosen(**{**production, **given})), words) is severity


@pytest.mark.parametrize(("given", "severity", "words"), ANYWHERE)
def test_anywhere(chosen: Chosen, given: dict[str, str], severity: Severity, words: str) -> None:
    assert severity_of(look(chosen(**given)), words) is severity


SAME_NAME = [
    ("https://127.0.0.1", "http://localhost:8000", "ORIGIN=https://localhost"),
    ("http://127.0.0.1", "http://localhost:8000", "ORIGIN=http://localhost"),
    ("http://127.0.0.1:3000", "http://localhost:8000", "ORIGIN=http://localhost:3000"),
    ("https://localhost:3000", "https://[::1]:8443", "ORIGIN=https://[::1]:3000"),
]


@pytest.mark.parametrize(("origin", "url", "remedy"), SAME_NAME)
def test_the_same_name_in_both_is_offered_with_the_port_that_the_browser_shows(
    chosen: Chosen, origin: str, url: str, remedy: str
) -> None:
    (found,) = [each for each in look(chosen(ORIGIN=origin, VESTIBULE_URL=url)) if "the same name" in each.remedy]
    assert found.remedy.split()[-1] == remedy


FAR = {"EMAIL_HOST": "smtp.example.com", "EMAIL_USER": "u", "EMAIL_PASS": "hush-hush"}
AT_START = [
    ({"VESTIBULE_TRUSTED_PROXIES": "0.0.0.0/0"}, "every machine in 0.0.0.0/0"),
    ({"VESTIBULE_TRUSTED_PROXIES": "127.0.0.1,::/0"}, "every machine in ::/0"),
    ({"VESTIBULE_TRUSTED_PROXIES": "128.0.0.0/1"}, "every machine in 128.0.0.0/1"),
    ({"VESTIBULE_TRUSTED_PROXIES": "::ffff:0:0/96"}, "every machine in 0.0.0.0/0"),
    ({"VESTIBULE_TRUSTED_PROXIES": "2000::/3"}, "every machine in 2000::/3"),
    ({**FAR, "VESTIBULE_EMAIL_SECURITY": "none"}, "the password goes to smtp.example.com without TLS"),
    ({"REDIS_URL": "redis://:hush-hush@redis.example.com/0"}, "the password goes to redis.example.com without TLS"),
    ({"NODE_ENV": "", "VESTIBULE_PASSWORD_MIN_LENGTH": "15"}, "development mode, and VESTIBULE_URL is https://auth"),
    ({"NODE_ENV": "", "VESTIBULE_URL": "", "VESTIBULE_HOST": "0.0.0.0"}, "development mode on 0.0.0.0"),
    ({"VESTIBULE_REFRESH_ROTATION": "off"}, "do not rotate"),
]
QUIET = [
    {},
    {"NODE_ENV": "", "VESTIBULE_URL": ""},
    {"NODE_ENV": "", "VESTIBULE_URL": "https://localhost:8443"},
    {"VESTIBULE_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8,104.16.0.0/13,2606:4700::/32"},
    {**FAR, "VESTIBULE_EMAIL_SECURITY": "starttls"},
    FAR,
    {"REDIS_URL": "rediss://:hush-hush@redis.example.com/0"},
    {"REDIS_URL": "redis://:hush-hush@localhost/0"},
    {"EMAIL_HOST": "localhost", "EMAIL_USER": "u", "EMAIL_PASS": "hush", "VESTIBULE_EMAIL_SECURITY": "none"},
]


@pytest.mark.parametrize(("given", "words"), AT_START)
def test_c25_what_weakens_a_server_is_said_at_its_start(
    chosen: Chosen, production: dict[str, str], given: dict[str, str], words: str
) -> None:
    """C25: in the words of the doctor, and no secret with them."""
    found = [*at_start.check(chosen(**{**production, **given}))]
    assert [severity_of(found, words)] == [WARNING] * len(found)
    assert "hush" not in str(found)


@pytest.mark.parametrize("given", QUIET)
def test_c25_what_does_not_is_not(chosen: Chosen, production: dict[str, str], given: dict[str, str]) -> None:
    assert [*at_start.check(chosen(**{**production, **given}))] == []


STRANDED = [
    ({}, ["no EMAIL_HOST"]),
    ({"VESTIBULE_EMAIL_FROM": ""}, ["the sender is no-reply@localhost", "no EMAIL_HOST"]),
    ({**FAR, "VESTIBULE_EMAIL_FROM": ""}, ["the sender is no-reply@localhost"]),
    (FAR, []),
    ({"NODE_ENV": "", "VESTIBULE_URL": ""}, []),
]


@pytest.mark.parametrize(("given", "whats"), STRANDED)
def test_what_keeps_emails_from_their_readers_is_said_at_the_start(
    chosen: Chosen, production: dict[str, str], given: dict[str, str], whats: list[str]
) -> None:
    settings = chosen(**{**production, **given})
    with capture_logs() as lines:
        at_start.log_weaknesses(settings)
    mailing = [line for line in lines if line["event"] == "emails_may_not_arrive"]
    assert [what in line["what"] for what, line in zip(whats, mailing, strict=True)] == [True] * len(whats)
    assert "hush" not in str(lines)


def test_files_that_others_can_read(chosen: Chosen) -> None:
    Path("vestibule-data").mkdir(mode=0o755)
    Path("vestibule-data/secret.key").touch(mode=0o644)
    Path(".env").touch(mode=0o644)
    Path(".env").write_text("PORT=8001\n")
    found = look(chosen())
    assert severity_of(found, "vestibule-data can be read") is WARNING
    assert severity_of(found, "secret.key can be read") is WARNING
    assert severity_of(found, ".env can be read") is None
    Path(".env").write_text("EMAIL_PASS=hush-hush\n")
    assert severity_of(look(chosen()), ".env can be read") is WARNING


def test_c7_a_virtual_environment_that_others_can_read_is_no_file_of_secrets(chosen: Chosen) -> None:
    """C7: neither `vestibule doctor` nor `vestibule serve` ends at a folder called `.env` that the settings allow."""
    Path(".env").mkdir(mode=0o755)
    Path(".env/pyvenv.cfg").touch()
    settings = chosen()
    assert severity_of(look(settings), ".env can be read") is None
    at_start.log_weaknesses(settings)


def test_c7_a_file_of_settings_that_was_replaced_by_a_pipe_is_a_warning(chosen: Chosen) -> None:
    settings = chosen()
    os.mkfifo(".env", mode=0o644)
    assert severity_of(look(settings), ".env can be read") is WARNING


def test_c7_a_database_elsewhere_that_others_can_read(chosen: Chosen, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where" / "a.sqlite3"
    elsewhere.parent.mkdir()
    for end in ("", "-wal", "-shm"):
        Path(f"{elsewhere}{end}").touch(mode=0o644)
    found = look(chosen(DATABASE_URL=f"sqlite:///{elsewhere}"))
    for end in ("", "-wal", "-shm"):
        assert severity_of(found, f"{elsewhere}{end} can be read") is WARNING


def test_c22_a_data_folder_that_cannot_be(chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    for place in ("a-file", "a-file/below"):
        assert severity_of(look(chosen(VESTIBULE_DATA=place)), "a-file is not a folder") is FAULT
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut").chmod(0o555)
    let_reach(tmp_path)
    with as_somebody_else():
        for place in ("shut", "shut/below/that"):
            assert severity_of(look(chosen(VESTIBULE_DATA=place)), "cannot be written by this user") is FAULT
    assert not [found for found in look(chosen(VESTIBULE_DATA="new/below")) if found.severity is FAULT]
