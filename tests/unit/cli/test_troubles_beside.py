"""C40: every command beside an absent Redis or mail server: those that need none of it go on as ever."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.harness import servers
from tests.harness.mail_server import HOST, USER, MailServer, certified, running
from tests.harness.process import PRODUCTION, run
from tests.harness.redis_server import RedisServer
from tests.unit.cli import every
from tests.unit.cli.cells import Said, said_here
from tests.unit.cli.databases import Databases
from tests.unit.cli.plain import SECRET as PASSWORD
from tests.unit.cli.test_troubles import beside

NOBODY = servers.free_port()
COMMANDS = [name for name in every.OF_THE_DATABASE if name != "serve"]
ON_MAIL = ("doctor", "mail test")


class Here:
    """Runs every command on a database that is well, which they leave as they found it."""

    def __init__(
        self, known: Databases, patch: pytest.MonkeyPatch, screen: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self.settings = {"DATABASE_URL": known.good, **PRODUCTION, **beside(folder)}
        self._patch, self._screen = patch, screen

    def said(self, names: list[str] | tuple[str, ...], **settings: str) -> dict[str, Said]:
        given = self.settings | settings
        return {name: said_here(name, given, self._patch, self._screen) for name in names}

    def well(self) -> dict[str, Said]:
        """What each says where nothing is wrong, and the database is one that is used."""
        self.said(["users create", "users delete"])
        return self.said(COMMANDS)


@pytest.fixture
def here(known: Databases, nowhere: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Here:
    return Here(known, nowhere, capfd, tmp_path)


@contextmanager
def silent() -> Iterator[int]:
    """A port on which somebody listens who never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=100)) as listening:
        yield listening.getsockname()[1]


def faults_of(said: dict[str, Said], well: dict[str, Said], words: dict[str, str]) -> list[str]:
    """What is wrong with commands beside a trouble. `words` are said by those who notice, and nobody fails for it."""
    faults = []
    for name, each in said.items():
        faults += each.faults({well[name].status}, *filter(None, [words.get(name)]))
    return faults


def test_c40_of_redis(here: Here) -> None:
    well = here.well()
    redis = RedisServer("--requirepass", "another")
    redis.start()
    faults = []
    try:
        with silent() as nothing:
            for port, words in (
                (NOBODY, "Connection refused"),
                (nothing, "no answer in time"),
                (redis.port, "refuses the user or the password"),
                (int(servers.postgresql().rpartition(":")[2]), "the connection was cut"),
            ):
                url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
                said = here.said(COMMANDS, REDIS_URL=url)
                faults += faults_of(said, well, {"doctor": words, "users disable": words, "users sign-out": words})
    finally:
        redis.remove()
    assert not faults, "\n".join(faults)


def test_c40_a_server_starts_without_redis_and_says_so(known: Databases, tmp_path: Path) -> None:
    given = {**PRODUCTION, "DATABASE_URL": known.good, "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{NOBODY}/0"}
    done = run(tmp_path, "serve", **given, **beside(tmp_path))
    said = Said("serve", done.returncode, done.stdout + done.stderr)
    assert not said.faults({-9}, "Connection refused", "server_started")  # killed by the harness, once it serves


def certificates(folder: Path) -> ssl.SSLContext:
    """Those of a server that no authority of this machine knows."""
    certificate, key = certified("localhost")
    (folder / "both.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def test_c40_of_the_mail_server(here: Here, tmp_path: Path) -> None:
    well = here.well()
    login = {"EMAIL_HOST": HOST, "EMAIL_USER": USER, "EMAIL_PASS": PASSWORD}
    faults = faults_of(
        here.said([name for name in COMMANDS if name not in ON_MAIL], **login, EMAIL_PORT=str(NOBODY)), well, {}
    )
    plain, unknown = {"auth_require_tls": False}, {"tls_context": certificates(tmp_path)}
    with running(MailServer(), **plain) as password, running(MailServer(), **unknown) as certificate:
        for port, security, words in (
            (NOBODY, "none", ("Connection refused", "EMAIL_HOST")),
            (password, "none", ("535 ", "EMAIL_USER")),
            (certificate, "starttls", ("its certificate is not accepted", "EMAIL_HOST")),
            (password, "starttls", ("STARTTLS", "VESTIBULE_EMAIL_SECURITY")),
            (password, "tls", ("no TLS connection is possible", "VESTIBULE_EMAIL_SECURITY")),
        ):
            given = login | {"EMAIL_PORT": str(port), "VESTIBULE_EMAIL_SECURITY": security}
            for name in ON_MAIL:  # in a process of its own, for the mail server's log is this one's
                done = run(tmp_path, *every.arguments(name), **here.settings, **given)
                faults += Said(name, done.returncode, done.stdout + done.stderr).faults({1}, *words)
    assert not faults, "\n".join(faults)
