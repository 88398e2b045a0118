"""docs/guides/debian.md and upgrading.md, typed as they stand; `tests/harness/debian.py` says what is replaced."""

import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.docs.paths import DOCS
from tests.harness.debian import CLONE, NAME, Machine
from tests.harness.servers import NotToBeHad
from vestibule import __version__

ADMIN = "you@example.com"
RETRIED = "curl --fail --silent --retry 30 --retry-connrefused"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    for program in ("caddy", "curl"):
        if shutil.which(program) is None:
            not_to_be_had(NotToBeHad(f"{program}: Debian has it"))
    made = Machine(tmp_path)
    try:
        yield made
    except BaseException as fault:
        for log in tmp_path.glob("*.log"):
            fault.add_note(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        made.stop()


def sections(page: str) -> list[str]:
    return re.findall(r"^## (.+)$", (DOCS / "guides" / page).read_text(), re.MULTILINE)


def signed_in(machine: Machine, password: str) -> int:
    """The status of a sign-in through the proxy, by the server's own pages; a cookie that it sets is for TLS alone."""
    headers = {"Host": NAME, "Origin": f"https://{NAME}"}
    body = {"email": ADMIN, "password": password}
    with httpx.Client(base_url=f"http://127.0.0.1:{machine.tls_port}", headers=headers, timeout=60) as browser:
        answer = browser.post("/api/auth/login", json=body)
    assert all("; Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))
    return answer.status_code


def newest_accounts(machine: Machine) -> str:
    """The emails that the database knows."""
    with closing(sqlite3.connect(machine.path("/var/lib/vestibule/vestibule.sqlite3"))) as database:
        return str(database.execute("SELECT email FROM accounts").fetchall())


def test_a_bare_server_signs_people_in_and_is_backed_up_restored_and_upgraded(machine: Machine) -> None:
    *before, admin, doctor, backup = sections("debian.md")
    told = "".join(machine.follow("debian.md", section) for section in before)
    assert f"vestibule {__version__}" in told
    assert [line.split()[0] for line in machine.left_out] == ["apt-get", "apt-get", "useradd", "git"]
    installed = machine.left_out[1].split()
    assert {"git", "curl"} <= set(installed), "what the page types"
    password = machine.follow("debian.md", admin).split()[-1]
    assert signed_in(machine, password) == 200
    assert re.findall(r"^ ✗ (\w+)", machine.follow("debian.md", doctor), re.MULTILINE) == ["mail"], (
        "no such mail server"
    )
    typed = machine.follow("debian.md", backup)
    [made] = machine.path("/var/backups/vestibule").iterdir()
    assert made.name in typed
    for secret in (made, machine.path("/etc/vestibule.env"), machine.path("/var/lib/vestibule/vestibule.sqlite3")):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600, secret
    machine.type("vestibule users create later@example.com")
    machine.type(f"{RETRIED} http://localhost:8000/healthz/ready")
    restore = (DOCS / "guides" / "debian.md").read_text().partition("**Restore**")[2]
    for line in re.findall(r"^```sh\n(.*?)^```$", restore, re.MULTILINE | re.DOTALL)[0].splitlines():
        machine.type(line)
    assert "later@example.com" not in newest_accounts(machine)
    machine.type(f"{RETRIED} http://localhost:8000/healthz/ready")
    assert signed_in(machine, password) == 200
    upgraded(machine, password)


def upgraded(machine: Machine, password: str) -> None:
    """The same machine, by docs/guides/upgrading.md: first as one server, then as one of many."""
    wheel = next(machine.path(CLONE).glob("dist/*.whl"))
    for section, files in zip(sections("upgrading.md"), (1, 0), strict=False):
        process, built = machine.running["vestibule"].pid, wheel.stat().st_mtime_ns
        machine.follow("upgrading.md", section)
        assert machine.running["vestibule"].pid != process
        assert (wheel.stat().st_mtime_ns != built) == bool(files)
    assert signed_in(machine, password) == 200
    assert {path.suffix for path in machine.path("/var/backups/vestibule").iterdir()} == {".sqlite3"}


def test_a_command_that_the_guide_gives_and_that_fails_stops_the_reader(machine: Machine) -> None:
    with pytest.raises(AssertionError, match="no such file"):
        machine.type("ls /etc/no-such-file || (echo no such file; exit 3)")
