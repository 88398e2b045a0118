"""`vestibule doctor`, as operators type it."""

import json
from pathlib import Path

from tests.harness.backends import Backend
from tests.harness.process import complaint, given_keys, run
from tests.harness.servers import free_port


def test_all_is_well(tmp_path: Path, backend: Backend) -> None:
    done = run(tmp_path, "doctor", **{"VESTIBULE_SECRET_KEY": "n" * 43, **backend.environment})
    assert (done.returncode, done.stderr) == (0, "")
    subjects = ("settings", "browsers", "proxies", "database", "keys", "redis", "mail")
    assert [line.split()[1] for line in done.stdout.splitlines() if "✓" in line] == list(subjects)
    assert "All is well." in done.stdout


def test_it_works_with_warnings(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", VESTIBULE_REFRESH_ROTATION="off", VESTIBULE_HOST="0.0.0.0")
    assert done.returncode == 0
    assert "→ VESTIBULE_REFRESH_ROTATION=on" in done.stdout
    assert "It works; 2 warnings." in done.stdout


def test_what_does_not_work_gives_status_1(tmp_path: Path) -> None:
    nobody = f"postgresql://ada:hush-hush@127.0.0.1:{free_port()}/vestibule"
    done = run(tmp_path, "doctor", DATABASE_URL=nobody, **given_keys())
    assert done.returncode == 1
    assert "cannot be reached" in done.stdout
    assert "1 thing does not work." in done.stdout
    assert "hush-hush" not in done.stdout + done.stderr


def test_for_programs(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--json", "--url", f"http://127.0.0.1:{free_port()}")
    (found,) = json.loads(done.stdout)
    assert sorted(found) == ["remedy", "severity", "subject", "what", "why"]
    assert (done.returncode, found["severity"], found["subject"]) == (1, "fault", "outside")


def test_a_setting_that_cannot_be_read_gives_status_2(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", PORT="x")
    assert done.returncode == 2
    assert complaint(done.stderr).startswith("PORT:")


def test_settings_that_cannot_be_read_are_told_to_programs_too(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--json", PORT="x", VESTIBULE_HOTS="::1")
    found = json.loads(done.stdout)
    assert done.returncode == 2
    assert [finding["what"].partition(":")[0] for finding in found] == ["VESTIBULE_HOTS", "PORT"]
    assert {finding["severity"] for finding in found} == {"fault"}
