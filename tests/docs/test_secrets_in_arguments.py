"""C27: no command that people are told to type has a secret among its arguments, which every user of a machine sees."""

import os
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.paths import ROOT
from tests.harness import backends
from tests.harness.process import run

HUSH = "swordfish-of-the-database"
SECRET = r"\w*(?:SECRET|PASS|PASSWORD|PEPPER|SERVICE_KEY|DATABASE_URL|REDIS_URL|TOKEN)\w*"
PROGRAM = r"\b(?:curl|docker|helm|kubectl|pg_dump|pg_restore|psql|redis-cli|vestibule)\b"
IN_ARGUMENTS = re.compile(
    rf"{PROGRAM}[^`\n]*?(?:(?<![A-Z_]=)[ =\"']\$\{{?{SECRET}|\$\(\S*vestibule token\)|\w+://[^\s/@`]*:[^\s/@`]+@"
    rf"| (?:-e|--env|--set)[ =]{SECRET}=| --requirepass | -a [^-])"
)
# Tours with an account that was made for them, on the reader's own machine.
TOUR = re.compile(r"Authorization: Bearer \$TOKEN\"")
KINDS = {".md", ".py", ".sh", ".service", ".timer", ".example", ".yml", ".yaml", ".tpl", ".txt", ""}
# The other lines of such a file are values in an environment.
YAML, ANY = re.compile(r"#|\b(?:args|command|test)\b"), re.compile("")
FOLDERS = ("docs", "deploy", "examples", "src")


def lines() -> Iterator[tuple[str, str]]:
    """Each line that people read or that is run, with its file."""
    pages = [*ROOT.glob("*.md"), ROOT / "Makefile"]
    for folder in FOLDERS:
        pages += [path for path in (ROOT / folder).rglob("*") if "node_modules" not in path.parts]
    for page in pages:
        if page.is_file() and page.suffix in KINDS and page.name != "CHANGELOG.md":
            run_or_read = YAML if page.suffix in {".yml", ".yaml"} else ANY
            found = filter(run_or_read.search, page.read_text().splitlines())
            yield from ((str(page.relative_to(ROOT)), line) for line in found)


def test_c27_no_command_has_a_secret_among_its_arguments() -> None:
    shown = [(page, line) for page, line in lines() if IN_ARGUMENTS.search(TOUR.sub("", line))]
    assert shown == []


@pytest.mark.parametrize(
    "line",
    [
        '(umask 077; pg_dump --format=custom --file=backup.dump "$DATABASE_URL")',
        'pg_restore --dbname="$DATABASE_URL" backup.dump',
        "psql postgresql://ada:hush@host/name -c 'select 1'",
        'check it: redis-cli -u "$REDIS_URL" ping',
        "redis-cli -a hush ping",
        'curl -H "Authorization: Bearer $(vestibule token)" localhost:8000',
        'curl -H "Authorization: Bearer $SERVICE_KEY" localhost:8000',
        "docker run -e VESTIBULE_SECRET_KEY=hush vestibule",
        "vestibule copy-database --from postgresql://user:hush@host/name",
    ],
)
def test_what_the_test_looks_for(line: str) -> None:
    assert IN_ARGUMENTS.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "export DATABASE_URL=postgresql://user:password@host:5432/name",
        "REDISCLI_AUTH=… redis-cli -h host -p 6379 ping",
        "vestibule token | sed 's/^/Authorization: Bearer /' | curl -H @- localhost:8000",
    ],
)
def test_what_it_lets_be(line: str) -> None:
    assert not IN_ARGUMENTS.search(line)


class AskingForAPassword:
    """What a PostgreSQL server does with a client until it has asked for the password (its protocol, section 55.2)."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self) -> None:
        with self._listener:
            client, _ = self._listener.accept()
        with client, client.makefile("rb") as read:
            (length, code) = struct.unpack("!ii", read.read(8))
            if code == 80877103:  # SSLRequest
                client.sendall(b"N")
                (length, code) = struct.unpack("!ii", read.read(8))
            read.read(length - 8)
            client.sendall(b"R" + struct.pack("!ii", 8, 3))  # AuthenticationCleartextPassword
            (length,) = struct.unpack("!xi", read.read(5))
            self.heard = read.read(length - 4)


@pytest.mark.parametrize(
    ("by", "command"), [("PGPASSWORD", ["copy-database"]), ("PGPASSFILE", ["users", "import"])], ids=str
)
def test_c27_the_password_of_a_source_may_come_from_the_environment(
    command: list[str], by: str, tmp_path: Path
) -> None:
    server = AskingForAPassword()
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{server.port}:name:ada:{HUSH}\n")
    passwords.chmod(0o600)
    given = {"PGPASSWORD": HUSH} if by == "PGPASSWORD" else {"PGPASSFILE": os.fspath(passwords)}
    backends.embedded(tmp_path / "vestibule-data")
    refused = run(tmp_path, *command, "--from", f"postgresql://ada@127.0.0.1:{server.port}/name", **given)
    assert server.heard == HUSH.encode() + b"\0"
    assert HUSH not in refused.stdout + refused.stderr
