"""What a person writes is read with care: each place, and each way to be wrong, ends in a line that names it."""

import base64
from pathlib import Path

import httpx
import pytest

from tests.harness.process import complaint, given_keys, run, says_it_listens, starting
from tests.harness.servers import WAIT_SECONDS, wait_until
from tests.unit.cli.conftest import Refusal
from vestibule.settings import names as setting_names
from vestibule.settings import reading
from vestibule.settings.fields import Settings, name_of
from vestibule.settings.reading import WrongSettings
from vestibule.wiring import opening

SAFE = {"NODE_ENV": "production", "VESTIBULE_URL": "https://auth.example.com", **given_keys()}

# A file `.env`, and how the line begins that says what is wrong with it.
WRONG_FILES: list[tuple[bytes, str]] = [
    (b"PORT=8000\nEMAIL_USER=J\xfcrgen\n", ".env: is not UTF-8 (line 2)"),
    ("PORT=8000\n".encode("utf-16"), ".env: is not UTF-8 (line 1)"),
    (b"PORT 8000\n", ".env, line 1: is not NAME=value"),
    (b"# a comment\n\nPORT\n", "PORT: has no = (.env, line 3)"),
    (b"JWT_ACCESS_TOKEN_PRIVATE_KEY=AAAA\nBBBB/CC\n", ".env, line 2: is not NAME=value"),
    (b"EMAIL_PASS=ab#cd\n", "EMAIL_PASS: has a #"),
    (b"EMAIL_PASS=#abcd\n", "EMAIL_PASS: has a #"),
    (b"EMAIL_PASS='abcd\n", "EMAIL_PASS: has a quotation mark that is never closed"),
    (b'EMAIL_PASS="abcd" efgh\n', "EMAIL_PASS: has a quotation mark"),
    (b"VESTIBULE_PORTT=1\n", "VESTIBULE_PORTT: there is no such setting; did you mean PORT?"),
    (b"vestibule_host=::1\n", "vestibule_host: there is no such setting; did you mean VESTIBULE_HOST?"),
    (b"VESTIBULE-HOST=::1\n", "VESTIBULE-HOST: there is no such setting; did you mean VESTIBULE_HOST?"),
    (b"PORT=8 0\n", "PORT: '8 0' is not a whole number"),
]

# A name in the file that is none of ours, and the one that is meant.
MISTYPED = [
    ("ORIGN", "ORIGIN"),
    ("ORIGINS", "ORIGIN"),
    ("DATABASE_ULR", "DATABASE_URL"),
    ("DATABASEURL", "DATABASE_URL"),
    ("database_url", "DATABASE_URL"),
    ("REDIS_URI", "REDIS_URL"),
    ("PROT", "PORT"),
    ("port", "PORT"),
    ("NODE_EVN", "NODE_ENV"),
    ("NODE-ENV", "NODE_ENV"),
    ("EMAIL_HOSTNAME", "EMAIL_HOST"),
    ("EMAIL_PASSWORD", "EMAIL_PASS"),
    ("EMAIL_FROM", "VESTIBULE_EMAIL_FROM"),
    ("EMIAL_HOST", "EMAIL_HOST"),
    ("JWT_ACCESS_PRIVATE_KEY", "JWT_ACCESS_TOKEN_PRIVATE_KEY"),
]
OF_OTHERS = """
    DEBUG AWS_REGION COMPOSE_PROJECT_NAME MONGODB_URL POSTGRES_PORT POSTGRES_HOST POSTGRES_DB DATABASE_USER HOST
    EMAIL_BACKEND EMAIL_TIMEOUT JWT_SECRET JWT_ALGORITHM JWT_PRIVATE_KEY
    REDIS_PORT HOSTNAME SECRET_KEY LOG_LEVEL PATH SMTP_HOST ACCESS_TOKEN_EXPIRES_IN CLIENT_ORIGIN DB_URL EMAIL
"""

# A setting, a value, and words of the line.
WRONG_VALUES: list[tuple[str, str, str]] = [
    ("PORT", "1_000", "plain digits"),
    ("PORT", "1e3", "plain digits"),
    ("PORT", "\uff18\uff10\uff10\uff10", "plain digits"),
    ("PORT", "8000.0", "plain digits"),
    ("PORT", "tcp://10.0.0.1:8000", "plain digits"),
    ("PORT", "9" * 5000, "plain digits"),
    ("VESTIBULE_SESSIONS_PER_ACCOUNT", "\uff12\uff10\uff14\uff18", "plain digits"),
    ("VESTIBULE_SESSION_SECONDS", "999999999999999", "too high"),
    ("VESTIBULE_SESSION_IDLE_SECONDS", "999999999999999", "too high"),
    ("VESTIBULE_CONNECTIONS", "999999999999", "too high"),
    ("VESTIBULE_HISTORY_DAYS", "-1", "too low"),
    ("VESTIBULE_TRACES", "perhaps", "neither on nor off"),
    ("VESTIBULE_LOG_LEVEL", "loud", "'debug', 'info'"),
    ("VESTIBULE_SUPPORT", "http://example.com/help", "neither an email"),
    ("VESTIBULE_SUPPORT", "javascript:alert(1)", "neither an email"),
    ("VESTIBULE_SUPPORT", "Help <help@example.com>", "neither an email"),
    ("VESTIBULE_SUPPORT", "https://example.com/a b", "neither an email"),
    ("VESTIBULE_HOST", "http://localhost", "not an address to listen on"),
    ("VESTIBULE_HOST", "127.0.0.1:8000", "not an address to listen on"),
    ("VESTIBULE_HOST", "[::1]:8000", "not an address to listen on"),
    ("VESTIBULE_HOST", "fe80::1%eth0", "not an address to listen on"),
    ("VESTIBULE_HOST", "*", "0.0.0.0 for all"),
    ("VESTIBULE_METRICS", "a host:9464", "not an address to listen on"),
    ("VESTIBULE_METRICS", "localhost", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", "::1:9464", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", "0", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", "127.0.0.1:99999", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", "0094641", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", "\uff19\uff14\uff16\uff14", "is not a port such as 9464"),
    ("VESTIBULE_METRICS", ":9464", "not an address to listen on"),
    ("VESTIBULE_METRICS", "0:9464", "not an address to listen on"),
    ("VESTIBULE_METRICS", "127.1:9464", "not an address to listen on"),
    ("VESTIBULE_HOST", "0x7f000001", "not an address to listen on"),
    ("VESTIBULE_METRICS", "8000", "the port of the API"),
    ("ORIGIN", "https://app.example.com:99999", "not an origin"),
    ("ORIGIN", "https://[::::1]", "not an origin"),
    ("ORIGIN", "http://localhost:5173/", "no / at the end"),
    ("ORIGIN", "https://ada:hush-hush@app.example.com", "app.example.com"),
    ("VESTIBULE_URL", "https://[1]", "not an origin"),
    ("VESTIBULE_URL", "auth.example.com", "not an origin"),
    ("VESTIBULE_ALLOWED_HOSTS", "auth.example.com:443", "no port"),
    ("VESTIBULE_ALLOWED_HOSTS", "[::g]", "not a host name"),
    ("VESTIBULE_TRUSTED_PROXIES", "10.0.0.1/8", "did you mean 10.0.0.0/8?"),
    ("VESTIBULE_TRUSTED_PROXIES", "fe80::1%eth0", "not an address"),
    ("VESTIBULE_TRUSTED_PROXIES", "localhost", "not an address"),
    ("EMAIL_HOST", "smtp://smtp.example.com", "no scheme"),
    ("EMAIL_HOST", "smtp.example.com:587", "no port"),
    ("VESTIBULE_ISSUER", "two\nlines", "one line"),
    ("VESTIBULE_DATA", "~nobody-of-that-name/data", "write the whole path"),
    ("VESTIBULE_PRODUCT_LOGO", "/", "Is a directory"),
    ("VESTIBULE_PRODUCT_LOGO", "/dev/null", "not a PNG"),
    ("VESTIBULE_TEMPLATES", "/dev/null/x", "there is no folder"),
    ("VESTIBULE_TEMPLATES", "/", "/ has neither a folder mail nor a folder pages"),
    ("DATABASE_URL", "mysql://ada:hush-hush@db/x", "Vestibule runs on"),
    ("REDIS_URL", "redis://:hush-hush@localhost:port", "REDIS_URL"),
    ("REDIS_URL", "foo", "is not an address such as redis://"),
    ("REDIS_URL", "localhost:6379", "is not an address such as redis://"),
    ("REDIS_URL", "http://localhost/0", "is not an address such as redis://"),
    ("REDIS_URL", "redis:/localhost/x", "is not an address such as redis://"),
    ("REDIS_URL", "redis://localhost/x", "has a database that is not a number"),
    ("REDIS_URL", "redis://:hush-hush@h/0?foo=1", "?foo= is not understood"),
    ("REDIS_URL", "redis://:hush-hush@h/0?socket_timeout=9", "?socket_timeout= is not understood"),
    ("REDIS_URL", "redis://:x?hush-hush@h/0", "in a password write"),
    ("REDIS_URL", "redis://:x#hush-hush@h/0", "in a password write"),
    ("REDIS_URL", "redis://:hush-hush@h/0?db=1&db=2", "twice"),
    ("REDIS_URL", "redis://:hush-hush@h/x", "a database that is not a number"),
    ("REDIS_URL", "redis://:hush-hush@h?db=-1", "a database that is not a number"),
    ("REDIS_URL", "redis://:hush-hush@h?ssl_cert_reqs=none", "only with rediss://"),
    ("REDIS_URL", "rediss://:hush-hush@h?ssl_cert_reqs=maybe", "none, optional or required"),
    ("REDIS_URL", "rediss://:hush-hush@h?ssl_check_hostname=maybe", "true or false"),
    ("REDIS_URL", "rediss://:hush-hush@h?ssl_ca_certs=/nowhere", "cannot be read: No such file"),
    ("REDIS_URL", "rediss://:hush-hush@h?ssl_ca_certs=/", "cannot be read: Is a directory"),
    ("REDIS_URL", "rediss://:hush-hush@h?ssl_certfile=/dev/null", "only one of"),
    ("VESTIBULE_ENV", "production", "did you mean NODE_ENV?"),
    ("VESTIBULE_METRIC", "9464", "did you mean VESTIBULE_METRICS?"),
]


@pytest.mark.parametrize(("content", "says"), WRONG_FILES)
def test_c1_a_file_that_cannot_be_taken_as_meant_is_one_line(content: bytes, says: str, refusal: Refusal) -> None:
    Path(".env").write_bytes(content)
    said = complaint(refusal())
    assert said.startswith(says)
    assert "efgh" not in said
    assert "ab#cd" not in said


@pytest.mark.parametrize(("name", "meant"), MISTYPED)
def test_c20_a_slip_in_a_name_of_the_file_is_known_and_stops_nothing(
    name: str, meant: str, nowhere: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(f"{name}=x\n")
    assert reading.read().port == 8000
    assert reading.likely_typos() == [(name, meant)]


def test_c20_every_name_without_our_prefix_is_known_with_any_slip() -> None:
    names = [name_of(field) for field in Settings.model_fields.values()]
    for name in (each for each in names if not each.startswith("VESTIBULE_")):
        for at in range(len(name)):
            a, b, rest = name[:at], name[at], name[at + 1 :]
            likely_typos = {a + rest, a + "Q" + rest, a + "Q" + b + rest, a + rest[:1] + b + rest[1:]} - {name}
            for slip in likely_typos:
                assert [(slip, name)] == list(setting_names.mistyped({slip: "x"}, names, ())), slip


def test_c20_names_of_others_and_what_is_chosen_anyway_are_left_alone(nowhere: pytest.MonkeyPatch) -> None:
    others = "".join(f"{name}=x\n" for name in OF_OTHERS.split())
    Path(".env").write_text(f"{others}DATABASE_URI=of-another\nDATABASE_URL=sqlite:///x.db\n")
    nowhere.setenv("ORIGN", "x")  # an environment has names of everybody
    assert reading.read().database_url.get_secret_value() == "sqlite:///x.db"
    assert reading.likely_typos() == []


def test_c20_a_slip_is_a_line_of_the_servers_log_and_of_the_doctors(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EMAIL_HOTS=smtp.example.com\nJWT_SECRET=of-another\nEMAIL_BACKEND=of-another\n")
    with starting(tmp_path, **given_keys()) as server:
        wait_until(lambda: says_it_listens(server.output), "the server")
        assert server.output.count("setting_unknown") == 1
        assert "perhaps=EMAIL_HOST" in server.output
    done = run(tmp_path, "doctor", **given_keys())
    assert "EMAIL_HOTS in .env is no setting of Vestibule's" in " ".join(done.stdout.split())
    assert "of-another" not in done.stdout


def test_c1_a_folder_in_the_place_of_the_file_is_one_line_and_a_virtual_environment_is_none(
    refusal: Refusal, nowhere: pytest.MonkeyPatch
) -> None:
    Path(".env").mkdir()
    assert complaint(refusal()) == ".env: cannot be read: Is a directory"
    Path(".env/pyvenv.cfg").touch()
    assert reading.read().port == 8000


def test_c1_a_file_that_cannot_be_opened_is_one_line_of_every_command(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(".env")
    for command in (["doctor"], ["events"], ["migrate"], ["serve"], ["keys", "list"], ["whoami"]):
        done = run(tmp_path, *command)
        assert (done.returncode, complaint(done.stderr)) == (
            2,
            ".env: cannot be read: Too many levels of symbolic links",
        )


@pytest.mark.parametrize(("name", "value", "words"), WRONG_VALUES)
@pytest.mark.parametrize("of_file", [False, True], ids=["environment", ".env"])
def test_c2_a_wrong_value_is_one_line_that_names_it(
    name: str, value: str, words: str, of_file: bool, refusal: Refusal
) -> None:
    if of_file:
        Path(".env").write_text(f'{name}="{value}"\n')
    said = complaint(refusal(**({} if of_file else {name: value})))
    assert said.startswith(f"{name}: ")
    assert words in said
    assert "hush-hush" not in said


def test_c2_a_value_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    for name in ("VESTIBULE_PRODUCT_NAME", "EMAIL_PASS", "VESTIBULE_DATA", "PORT", "JWT_ACCESS_TOKEN_PUBLIC_KEY"):
        done = run(tmp_path, "doctor", **{name: "J\udcfcrgen"})
        assert (done.returncode, complaint(done.stderr)) == (2, f"{name}: is not UTF-8")


def test_c3_everything_that_is_wrong_is_told_in_one_run(refusal: Refusal) -> None:
    Path(".env").write_text("VESTIBULE_HOTS=x\nEMAIL_PASS=a#b\n")
    said = refusal(
        **{
            **SAFE,
            "PORT": "x",
            "VESTIBULE_DRAIN_SECONDS": "x",
            "VESTIBULE_COOKIE_PREFX": "x",
            "VESTIBULE_PASSWORD_MIN_LENGTH": "64",
            "VESTIBULE_PASSWORD_MAX_LENGTH": "32",
            "VESTIBULE_SESSION_SECONDS": "60",
            "VESTIBULE_URL": "http://auth.example.com",
            "ORIGIN": "http://app.example.com",
            "VESTIBULE_SECRET_KEY": "0123" * 10,
            "VESTIBULE_PEPPER": "4567" * 10,
            "VESTIBULE_PASSWORD_HASH": "bcrypt",
            "DATABASE_URL": "mysql://db",
            "REDIS_URL": "http://redis",
            "VESTIBULE_EMAIL_FROM": "garbage",
            "JWT_ACCESS_TOKEN_PRIVATE_KEY": base64.b64encode(b"no key").decode(),
            "JWT_REFRESH_TOKEN_PUBLIC_KEY": base64.b64encode(b"no key").decode(),
        }
    )
    lines = said.splitlines()
    assert all(line.startswith("vestibule: ") for line in lines)
    assert {line.split(": ")[1] for line in lines} == {
        "VESTIBULE_HOTS",
        "EMAIL_PASS",
        "PORT",
        "VESTIBULE_DRAIN_SECONDS",
        "VESTIBULE_COOKIE_PREFX",
        "VESTIBULE_PASSWORD_MAX_LENGTH",
        "VESTIBULE_SESSION_SECONDS",
        "VESTIBULE_URL",
        "ORIGIN",
        "VESTIBULE_SECRET_KEY",
        "VESTIBULE_PEPPER",
        "DATABASE_URL",
        "REDIS_URL",
        "VESTIBULE_EMAIL_FROM",
        "JWT_ACCESS_TOKEN_PRIVATE_KEY",
        "JWT_REFRESH_TOKEN_PUBLIC_KEY",
    }


def test_c3_nothing_is_said_of_what_follows_from_a_setting_that_is_wrong_itself(refusal: Refusal) -> None:
    assert complaint(refusal(VESTIBULE_SESSION_IDLE_SECONDS="x", VESTIBULE_SESSION_SECONDS="60")).startswith(
        "VESTIBULE_SESSION_IDLE_SECONDS: "
    )


READ_AS_MEANT: list[tuple[bytes, str, object]] = [
    (b"\xef\xbb\xbfPORT=8001\r\nORIGIN=http://localhost:3001\r\n", "port", 8001),
    (b"export PORT=8001 # where it listens\n", "port", 8001),
    (b"PORT: 8001\n", "port", 8001),
    (b"  PORT = ' 8001 '  \n", "port", 8001),
    (b"VESTIBULE_ISSUER='${HOME}/$PORT'\n", "issuer", "${HOME}/$PORT"),
    (b'VESTIBULE_ISSUER="${HOME}"\n', "issuer", "${HOME}"),
    (b"VESTIBULE_ISSUER=${HOME}\n", "issuer", "${HOME}"),
    (b"VESTIBULE_ISSUER='a # b' # c\n", "issuer", "a # b"),
    (b"VESTIBULE_ISSUER=`it's`\n", "issuer", "it's"),
    (b'VESTIBULE_ISSUER="C:\\temp"\n', "issuer", "C:\\temp"),
    (b"SOMEBODY_ELSES=a#b\nALONE\nPORT=8001", "port", 8001),
]


@pytest.mark.parametrize(("content", "field", "value"), READ_AS_MEANT)
def test_c1_the_file_is_read_as_node_s_reader_takes_it(
    content: bytes, field: str, value: object, nowhere: pytest.MonkeyPatch
) -> None:
    Path(".env").write_bytes(content)
    assert getattr(reading.read(), field) == value


@pytest.mark.parametrize(
    ("name", "value", "field", "read"),
    [
        ("PORT", " 8001\t", "port", 8001),
        ("NODE_ENV", " development\r", "mode", "development"),
        ("VESTIBULE_HOST", "[::1]", "host", "::1"),
        ("VESTIBULE_HOST", "localhost", "host", "localhost"),
        ("VESTIBULE_REFRESH_ROTATION", "OFF", "refresh_rotation", False),
        (
            "ORIGIN",
            "https://App.example.com:443,http://b.example:80",
            "origins",
            ("https://app.example.com", "http://b.example"),
        ),
        ("VESTIBULE_DATA", "~/vestibule", "data", Path.home() / "vestibule"),
        ("VESTIBULE_PRODUCT_NAME", "\u00a0Ada's ", "product_name", "Ada's"),
        ("VESTIBULE_AUDIENCE", "   ", "audience", "vestibule"),
    ],
)
def test_c2_white_space_at_the_ends_and_other_ways_to_write_the_same_are_taken(
    name: str, value: str, field: str, read: object, nowhere: pytest.MonkeyPatch
) -> None:
    nowhere.setenv(name, value)
    assert getattr(reading.read(), field) == read


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
    ],
)
def test_c2_a_proxy_of_ipv4_is_known_however_it_is_written(
    written: str, meant: str, nowhere: pytest.MonkeyPatch
) -> None:
    nowhere.setenv("VESTIBULE_TRUSTED_PROXIES", written)
    assert list(map(str, reading.read().trusted_proxies)) == [meant]


def wrapped(text: str) -> str:
    return "\n".join(text[at : at + 64] for at in range(0, len(text), 64)) + "\n"


@pytest.mark.parametrize(
    "written",
    [
        wrapped,
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: f" {text} ",
        lambda text: wrapped(text).replace("\n", "\r\n"),
    ],
    ids=["wrapped", "unpadded", "url-safe", "spaced", "wrapped as on Windows"],
)
@pytest.mark.parametrize("of_file", [False, True], ids=["environment", ".env"])
def test_c2_keys_are_taken_as_node_takes_base64(written: object, of_file: bool, nowhere: pytest.MonkeyPatch) -> None:
    assert callable(written)
    keys = {name: written(value) for name, value in given_keys().items()}
    if of_file:
        Path(".env").write_bytes("".join(f'{name}="{value}"\n' for name, value in keys.items()).encode())
    else:
        for name, value in keys.items():
            nowhere.setenv(name, value)
    assert opening.read_settings().keys_are_given


def test_c2_what_kubernetes_says_of_a_service_called_vestibule_is_no_setting(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("VESTIBULE_SERVICE_HOST", "10.0.0.1")
    nowhere.setenv("VESTIBULE_SERVICE_PORT_HTTP", "8000")
    nowhere.setenv("VESTIBULE_PORT", "tcp://10.0.0.1:8000")
    nowhere.setenv("VESTIBULE_PORT_8000_TCP_ADDR", "10.0.0.1")
    assert reading.read().port == 8000


def test_c3_a_broken_template_is_told_at_the_start(nowhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own" / "mail").mkdir(parents=True)
    (tmp_path / "own" / "mail" / "reset_password.txt").write_text("{% trans %}a\n{% if %}")
    (tmp_path / "own" / "mail" / "verify_email.html").write_bytes(b"J\xfcrgen")
    (tmp_path / "own" / "somebody-elses.html").write_text("{% if %}")
    nowhere.setenv("VESTIBULE_TEMPLATES", str(tmp_path / "own"))
    with pytest.raises(WrongSettings) as refused:
        opening.read_settings()
    broken, not_text = str(refused.value).splitlines()
    assert broken.startswith(f"VESTIBULE_TEMPLATES: {tmp_path}/own/mail/reset_password.txt, line ")
    assert not_text == f"VESTIBULE_TEMPLATES: {tmp_path}/own/mail/verify_email.html is not UTF-8"


@pytest.mark.parametrize(("name", "host"), [("localhost", "127.0.0.1"), ("[::1]", "[::1]")])
def test_c2_it_listens_where_the_name_leads(name: str, host: str, tmp_path: Path) -> None:
    with starting(tmp_path, VESTIBULE_HOST=name, **given_keys()) as server:
        wait_until(lambda: says_it_listens(server.output), "the server's listening")
        assert httpx.get(f"http://{host}:{server.port}/healthz/live", timeout=WAIT_SECONDS).status_code == 200


@pytest.mark.parametrize("name", ["nowhere.invalid", "http://localhost", "127.0.0.1:8000"])
def test_c2_a_host_that_leads_nowhere_is_one_line(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--host", name, **given_keys())
    assert (done.returncode, complaint(done.stderr).startswith("--host: ")) == (2, True)
    if name == "nowhere.invalid":
        done = run(tmp_path, "serve", VESTIBULE_HOST=name, **given_keys())
        assert complaint(done.stderr).startswith("VESTIBULE_HOST: nowhere.invalid cannot be looked up")
