"""Settings: a wrong one stops the start with one line that names it and tells no secret; the tutorial's own work."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.harness.backends import Backend
from tests.harness.process import complaint, given_keys, run, serving
from tests.unit.cli.conftest import Refusal
from vestibule.settings import reading
from vestibule.settings.fields import Settings, name_of
from vestibule.settings.to_policy import to_policy

HUSH = "hush-hush"
ACCESS_PRIVATE = "JWT_ACCESS_TOKEN_PRIVATE_KEY"
ACCESS_PUBLIC = "JWT_ACCESS_TOKEN_PUBLIC_KEY"
REFRESH_PRIVATE = "JWT_REFRESH_TOKEN_PRIVATE_KEY"
REFRESH_PUBLIC = "JWT_REFRESH_TOKEN_PUBLIC_KEY"


def weak_pair() -> tuple[str, str]:
    """Both halves of a key of 1024 bits, as settings."""
    key = rsa.generate_private_key(65537, 1024)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(private).decode(), base64.b64encode(public).decode()


def not_pem() -> str:
    return base64.b64encode(HUSH.encode()).decode()


WRONG = [
    ("PORT", "x"),
    ("PORT", "-1"),
    ("PORT", "70000"),
    ("ORIGIN", "*"),
    ("ORIGIN", "null"),
    ("ORIGIN", ","),
    ("ORIGIN", "http://a.example/b"),
    ("ORIGIN", "http://a.example?b"),
    ("ORIGIN", "http://somebody@a.example"),
    ("ORIGIN", "https://*.a.example"),
    ("ORIGIN", "http://localhost:3000, ftp://a.example"),
    ("ORIGIN", "[/a]"),
    ("NODE_ENV", "prod"),
    ("DATABASE_URL", f"postgresql://ada:an@{HUSH}@localhost/x"),
    ("DATABASE_URL", f"mysql://ada:{HUSH}@localhost/x"),
    ("DATABASE_URL", HUSH),
    ("DATABASE_URL", f"postgresql://ada:{HUSH}@localhost:port/x"),
    ("DATABASE_URL", f"postgresql://ada:{HUSH}@localhost/x?sslmode=perhaps"),
    ("DATABASE_URL", f"postgresql://ada:{HUSH}@localhost/x?no_such_parameter=1"),
    ("REDIS_URL", f"http://:{HUSH}@localhost"),
    ("REDIS_URL", f"redis://:{HUSH}@localhost:port"),
    ("VESTIBULE_SECRET_KEY", HUSH),
    ("VESTIBULE_ACCESS_TOKEN_SECONDS", "999999"),
    ("VESTIBULE_SESSION_SECONDS", "60"),
    ("VESTIBULE_SESSION_IDLE_SECONDS", "899"),
    ("VESTIBULE_PASSWORD_MIN_LENGTH", "7"),
    ("VESTIBULE_SIGNING_ALGORITHM", "RS256-1024"),
    ("VESTIBULE_EMAIL_VERIFICATION", "perhaps"),
    ("VESTIBULE_REFRESH_ROTATION", "perhaps"),
    ("VESTIBULE_DATA", "/dev/null/x"),
    ("VESTIBULE_EMAIL_FROM", "garbage"),
    ("VESTIBULE_EMAIL_FROM", "[/garbage]"),
    ("VESTIBULE_EMAIL_FROM", "two words@a.example and more"),
    ("EMAIL_PORT", "x"),
    ("VESTIBULE_LOG_LEVEL", "loud"),
    (ACCESS_PRIVATE, f"{HUSH}!"),
    (ACCESS_PRIVATE, not_pem()),
    (ACCESS_PRIVATE, weak_pair()[0]),
    (ACCESS_PUBLIC, not_pem()),
    (ACCESS_PUBLIC, weak_pair()[1]),
    (ACCESS_PUBLIC, given_keys()[REFRESH_PUBLIC]),
    (REFRESH_PRIVATE, not_pem()),
    (REFRESH_PUBLIC, given_keys()[ACCESS_PUBLIC]),
    (REFRESH_PUBLIC, ""),
    (ACCESS_PRIVATE, ""),
]
SECRETS = {"DATABASE_URL", "REDIS_URL", "VESTIBULE_SECRET_KEY", *given_keys()}

TUTORIAL = """\
PORT=8123
ORIGIN=http://localhost:3001
NODE_ENV=development

POSTGRES_HOST=127.0.0.1
POSTGRES_PORT=6500
POSTGRES_USER=admin
POSTGRES_PASSWORD=password123
POSTGRES_DB=tutorial

DATABASE_URL="{database}?schema=public"
REDIS_URL={redis}

{keys}

EMAIL_USER=somebody
EMAIL_PASS={hush}
EMAIL_HOST=smtp.mailtrap.io
EMAIL_PORT=2525
"""


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}-{number}" for number, (name, _) in enumerate(WRONG)])
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str, refusal: Refusal) -> None:
    said = refusal(**{**given_keys(), name: value})
    assert complaint(said).startswith(f"{name}: ")
    if value and name in SECRETS:
        assert value not in said
        assert HUSH not in said


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (
            {"VESTIBULE_PASSWORD_MIN_LENGTH": "64", "VESTIBULE_PASSWORD_MAX_LENGTH": "32"},
            "VESTIBULE_PASSWORD_MAX_LENGTH",
        ),
        ({name: given_keys()[name] for name in (ACCESS_PRIVATE, ACCESS_PUBLIC)}, REFRESH_PRIVATE),
        (
            {
                **given_keys(),
                REFRESH_PRIVATE: given_keys()[ACCESS_PRIVATE],
                REFRESH_PUBLIC: given_keys()[ACCESS_PUBLIC],
            },
            REFRESH_PRIVATE,
        ),
    ],
    ids=["longest below shortest", "only one pair", "one key for both"],
)
def test_settings_that_do_not_go_together_are_one_line(given: dict[str, str], named: str, refusal: Refusal) -> None:
    assert complaint(refusal(**given)).startswith(f"{named}: ")


def test_each_of_several_wrong_settings_has_its_line(refusal: Refusal) -> None:
    lines = refusal(PORT="x", ORIGIN="*", EMAIL_PORT="0").splitlines()
    assert sorted(line.split(": ")[1] for line in lines) == ["EMAIL_PORT", "ORIGIN", "PORT"]


@pytest.mark.parametrize("from_file", [False, True], ids=["environment", ".env"])
def test_a_misspelt_name_is_refused_with_the_right_one(from_file: bool, refusal: Refusal) -> None:
    misspelt = {"VESTIBULE_PASWORD_HASH": "bcrypt"}
    if from_file:
        Path(".env").write_text("VESTIBULE_PASWORD_HASH=bcrypt\n")
    said = complaint(refusal(**given_keys(), **({} if from_file else misspelt)))
    assert said.startswith("VESTIBULE_PASWORD_HASH: ")
    assert "VESTIBULE_PASSWORD_HASH?" in said


@pytest.mark.parametrize(
    ("given", "algorithm", "bits"),
    [("RS256-2048", "RS256", 2048), ("RS256", "RS256", 3072), ("RS256-4096", "RS256", 4096)],
)
def test_the_size_of_new_keys_can_be_chosen(given: str, algorithm: str, bits: int, nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("VESTIBULE_SIGNING_ALGORITHM", given)
    chosen = reading.read()
    assert (chosen.signing_algorithm, chosen.signing_key_bits) == (algorithm, bits)


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://com.example.shop",
        "chrome-extension://a",
    ],
)
def test_the_origin_of_an_app_can_be_listed_and_no_letter_leads_there(nowhere: pytest.MonkeyPatch, origin: str) -> None:
    nowhere.setenv("ORIGIN", f"{origin},https://app.example.com")
    chosen = reading.read()
    assert chosen.front_ends == (origin, "https://app.example.com")
    assert to_policy(chosen).link_base == "https://app.example.com"
    nowhere.setenv("ORIGIN", origin)
    assert to_policy(reading.read()).link_base == reading.read().own_base


@pytest.mark.parametrize(
    "origin", ["javascript://x", "file://localhost", "data://x", "null", "capacitor://", "a://b/c"]
)
def test_what_is_no_origin_cannot_be_listed(nowhere: pytest.MonkeyPatch, origin: str) -> None:
    nowhere.setenv("ORIGIN", origin)
    with pytest.raises(reading.WrongSettings, match="ORIGIN"):
        reading.read()


def test_origins_are_a_list(nowhere: pytest.MonkeyPatch) -> None:
    nowhere.setenv("ORIGIN", " HTTPS://App.example.com:443 , Http://localhost:3000")
    assert reading.read().origins == ("https://app.example.com", "http://localhost:3000")


LISTS = {
    "ORIGIN": ("https://app.example.com", "https://b.example.com"),
    "VESTIBULE_ALLOWED_HOSTS": ("auth.example.com", "auth"),
    "VESTIBULE_TRUSTED_PROXIES": ("192.0.2.1", "10.0.0.0/8"),
}


@pytest.mark.parametrize("form", ["{};{}", "{} {}", '"{},{}"', "'{}', '{}'", "{},\u201c{}\u201d"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_commas_or_in_quotation_marks_is_refused_with_how_to_write_it(
    name: str, form: str, refusal: Refusal
) -> None:
    assert refusal(**given_keys(), **{name: form.format(*LISTS[name])}).endswith(
        "has a space, a ; or a quotation mark; put only commas between several values\n"
    )


def test_an_empty_value_means_the_default(nowhere: pytest.MonkeyPatch) -> None:
    for name in map(name_of, Settings.model_fields.values()):
        nowhere.setenv(name, "")
    assert reading.read().port == 8000
    assert reading.read().origins == ("http://localhost:3000",)


def test_no_secret_shows_in_a_traceback(nowhere: pytest.MonkeyPatch) -> None:
    """L5: no secret shows in a traceback."""
    secrets = {
        **given_keys(),
        "DATABASE_URL": f"postgresql://ada:{HUSH}@localhost/x",
        "REDIS_URL": f"redis://:{HUSH}@localhost",
        "VESTIBULE_SECRET_KEY": HUSH * 4,
        "EMAIL_PASS": HUSH,
    }
    for name, value in secrets.items():
        nowhere.setenv(name, value)
    read = reading.read()
    assert not [name for name, value in secrets.items() if value in repr(read) + str(read)]
    assert HUSH not in repr(read)


def test_the_tutorials_own_file_starts_a_server(postgresql: Backend, tmp_path: Path) -> None:
    keys = "\n".join(f"{name}={value}" for name, value in given_keys().items())
    (tmp_path / ".env").write_text(
        TUTORIAL.format(database=postgresql.database_url, redis=postgresql.redis_url, keys=keys, hush=HUSH)
    )
    with serving(tmp_path) as server:
        assert "smtp.mailtrap.io:2525" in server.words
        assert "http://localhost:3001" in server.words
        assert HUSH not in server.output


def test_a_wrong_setting_ends_the_real_process(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VESTIBULE_HISTORY_DAYS=x\n")
    refused = run(tmp_path, "serve")
    assert refused.returncode == 2
    assert complaint(refused.stderr).startswith("VESTIBULE_HISTORY_DAYS: ")
    assert refused.stdout == ""
    assert list(tmp_path.iterdir()) == [tmp_path / ".env"]
