"""Every file that a setting can name, or that lies where we look: a pipe, a device or a flood is one line at once."""

import os
import socket
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from tests.harness.process import complaint, given_keys, run
from tests.harness.unprivileged import as_somebody_else, let_reach
from tests.unit.cli.conftest import Refusal
from vestibule.client import InFile
from vestibule.protocol.files import read_bounded
from vestibule.settings.reading import WrongSettings
from vestibule.wiring.keys import open_seal
from vestibule.wiring.opening import read_settings

OVER = 12_000_000  # more than any of them may have


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def terminal(path: Path) -> None:
    path.symlink_to("/dev/ptmx")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as there, chdir(path.parent):  # its name may have 107 bytes only
        there.bind(path.name)


def flood(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(OVER)


LIES = {pipe: "is not a regular file", device: "is not a regular file", terminal: "is not a regular file"}
LIES |= {listening: "is not a regular file", flood: "is larger than"}
POSTGRESQL, REDIS = "postgresql://ada:hush-hush@127.0.0.1:1/x", "rediss://:hush-hush@127.0.0.1:1/0"
FILES: dict[str, tuple[str, dict[str, str]]] = {
    "the settings": (".env", {}),
    "the secret": ("secret.key", {"VESTIBULE_DATA": "."}),
    "the logo": ("logo.png", {"VESTIBULE_PRODUCT_LOGO": "logo.png"}),
    "a letter": ("mail/verify_email.txt", {"VESTIBULE_TEMPLATES": "."}),
    "a page": ("pages/frame.html", {"VESTIBULE_TEMPLATES": "."}),
    "PostgreSQL's authority": ("ca.pem", {"DATABASE_URL": f"{POSTGRESQL}?sslmode=verify-full&sslrootcert=ca.pem"}),
    "our certificate": ("c.pem", {"DATABASE_URL": f"{POSTGRESQL}?sslmode=require&sslcert=c.pem&sslkey=/dev/null"}),
    "our key": ("k.pem", {"DATABASE_URL": f"{POSTGRESQL}?sslmode=require&sslcert=/dev/null&sslkey=k.pem"}),
    "Redis's authority": ("ca.pem", {"REDIS_URL": f"{REDIS}?ssl_ca_certs=ca.pem"}),
    "our certificate for Redis": ("c.pem", {"REDIS_URL": f"{REDIS}?ssl_certfile=c.pem&ssl_keyfile=/dev/null"}),
    "our key for Redis": ("k.pem", {"REDIS_URL": f"{REDIS}?ssl_certfile=/dev/null&ssl_keyfile=k.pem"}),
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
@pytest.mark.parametrize("file", FILES)
def test_c23_what_is_no_file_of_a_usual_size_is_one_line(
    file: str, lie: Callable[[Path], None], refusal: Refusal
) -> None:
    name, given = FILES[file]
    Path(name).parent.mkdir(exist_ok=True)
    lie(Path(name))
    said = complaint(refusal(**given))
    assert LIES[lie] in said
    assert name in said
    assert "hush-hush" not in said


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_c23_a_file_of_tokens_that_is_none_signs_nobody_in(lie: Callable[[Path], None], tmp_path: Path) -> None:
    lie(tmp_path / "tokens.json")
    assert InFile(tmp_path / "tokens.json").load() is None


def test_c23_a_pipe_stops_every_command_at_once(tmp_path: Path) -> None:
    pipe(tmp_path / ".env")
    for command in (["doctor"], ["serve"], ["whoami"]):
        done = run(tmp_path, *command, **given_keys())
        assert (done.returncode, complaint(done.stderr)[:27]) == (2, ".env: is not a regular file"), command


def test_c23_the_null_device_hides_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(os.devnull)
    assert read_bounded(tmp_path / ".env", 1) == b""


def test_c23_a_file_may_be_as_large_as_the_bound(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert read_bounded(tmp_path / "file", 3) == b"abc"
    with pytest.raises(ValueError, match="larger"):
        read_bounded(tmp_path / "file", 2)
    with pytest.raises(IsADirectoryError):
        read_bounded(tmp_path, 2)


# Folders that this user may not look into, and the beginning of the line about each.
SHUT = {
    ".env": ({}, ".env: cannot be read: Permission denied"),
    "t": ({"VESTIBULE_TEMPLATES": "t"}, "VESTIBULE_TEMPLATES: cannot look into t/"),
    "t/mail": ({"VESTIBULE_TEMPLATES": "t"}, "VESTIBULE_TEMPLATES: cannot look into t/mail: Permission denied"),
}


@pytest.mark.parametrize("name", SHUT)
def test_c23_a_folder_that_may_not_be_looked_into_is_one_line(
    name: str, nowhere: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given, line = SHUT[name]
    for setting, value in given.items():
        nowhere.setenv(setting, value)
    Path(name).mkdir(parents=True)
    let_reach(tmp_path)
    Path(name).chmod(0)
    with as_somebody_else(), pytest.raises(WrongSettings) as refused:
        read_settings()
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("nowhere")
def test_c23_a_secret_in_a_folder_that_may_not_be_looked_into_is_named(tmp_path: Path) -> None:
    settings = read_settings()
    settings.data.mkdir()
    let_reach(tmp_path)
    settings.data.chmod(0)
    with as_somebody_else(), pytest.raises(WrongSettings, match=r"VESTIBULE_SECRET_KEY: .*: Permission denied"):
        open_seal(settings)
