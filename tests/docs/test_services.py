"""docs/services.md says of the kit what is so: its arguments with their defaults, its refusals, its sentences."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from tests.docs.paths import ROOT
from tests.harness.guide import Project, projects, section, step_up_project
from tests.unit.client.asking import on_asgi
from vestibule.client import CallerRefusedError, Verifier, caller_errors
from vestibule.client.asgi import VestibuleMiddleware
from vestibule.client.setup import FEED, KEYS
from vestibule.client.testing import SignedIn

KIT = ROOT / "src" / "vestibule" / "client"
SHORTEST, LONGEST = 10, 36


def rows(title: str) -> list[list[str]]:
    """The cells of each row of the first table below a heading."""
    lines = re.findall(r"^\| (.*?) ?\|$", section(title), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines if not line.startswith(("---", "argument"))]


def test_the_table_of_arguments_is_the_signature() -> None:
    there = [parameter for name, parameter in inspect.signature(Verifier).parameters.items()]
    told = {
        name.strip("`"): default.strip("`").replace("_", "")
        for name, _, default, _ in rows("All arguments of `Verifier`")
    }
    assert list(told) == [parameter.name for parameter in there]
    for parameter in there:
        has_none = parameter.default is inspect.Parameter.empty
        assert told[parameter.name].strip('"') == ("" if has_none else str(parameter.default)), parameter.name


def refusals(kind: type[CallerRefusedError]) -> Iterator[type[CallerRefusedError]]:
    for each in kind.__subclasses__():
        if each.__module__ == caller_errors.__name__:
            yield each
            yield from refusals(each)


def test_the_table_of_refusals_is_complete() -> None:
    told = {cells[0]: cells[1] for cells in rows("What a caller is, and a refusal")[1:]}
    private = {caller_errors.ClocksDifferError, caller_errors.KeyUnknownError}
    wordings = {f"`{each.__name__}`": each.wording for each in refusals(CallerRefusedError) if each not in private}
    assert told == {name: f"{said.status} `{said.code}`" for name, said in wordings.items()}


def test_what_the_guide_reads_in_the_log_is_what_the_kit_writes() -> None:
    code = "\n".join(path.read_text() for path in KIT.rglob("*.py"))
    sentences = [cells[0] for cells in rows("Health check and log")[1:]]
    assert len(sentences) >= 9
    for sentence in sentences:
        pieces = re.split(r"…|: ", sentence.strip("`"))
        written = [piece.removeprefix(FEED).removeprefix(KEYS).strip() for piece in pieces]
        assert [piece for piece in written if piece not in code] == [], sentence


def test_the_front_end_of_another_origin_may_ask_by_cookie() -> None:
    """The lines of the guide, before the application of another: a preflight of a POST is answered with credentials."""
    (lines,) = re.findall(r"```python\n(.*?)```", section("Browsers"), re.DOTALL)
    names = {each.__name__: each for each in (Verifier, Middleware, CORSMiddleware, VestibuleMiddleware)}
    made = {**names, "url": "https://auth.example.com", "service_key": "vsk_x"}
    exec(lines, made)
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    answer = on_asgi(Starlette(middleware=made["middleware"]))("/orders", "OPTIONS", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_transfer_takes_a_second_factor_and_a_recent_sign_in(
    vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the guide, and the answer below it."""
    (answer,) = re.findall(r"```http\n(.*?)```", section("Ask for a second factor or a recent sign-in"), re.DOTALL)
    monkeypatch.setenv("VESTIBULE_URL", "https://auth.example.com")
    monkeypatch.setenv("SERVICE_KEY", "vsk_x")
    made: dict[str, Any] = {}
    exec(step_up_project().files["transfers.py"], made)
    ask = on_asgi(made["app"])
    both = vestibule.token_for("ada", level=2)
    assert ask("/transfers", "POST", headers=vestibule.headers(both)).json() == {"by": "ada", "level": 2}
    neither = vestibule.token_for("ada", authenticated_at=1)
    refused = ask("/transfers", "POST", headers=vestibule.headers(neither))
    head, _, body = answer.partition("\n\n")
    status, *fields = head.splitlines()
    assert status == f"HTTP/1.1 {refused.status_code} {refused.reason_phrase}"
    for name, value in (field.split(": ", 1) for field in fields):
        assert refused.headers[name] == value
    assert refused.json() == json.loads(body)


def test_an_invoice_takes_a_permission(vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the guide, and the answer below it."""
    guide = section("Ask for a permission")
    (answer,) = re.findall(r"```http\n(.*?)```", guide, re.DOTALL)
    (file,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.setenv("VESTIBULE_URL", "https://auth.example.com")
    monkeypatch.setenv("SERVICE_KEY", "vsk_x")
    made: dict[str, Any] = {}
    exec(file, made)
    ask = on_asgi(made["app"])
    vestibule.define_role("billing", "invoices:write")
    token = vestibule.token_for("ada", custom_roles=["billing"])
    told = ask("/invoices", "POST", headers=vestibule.headers(token)).json()
    assert told == {"by": "ada", "roles": ["billing"], "may": ["invoices:write"]}
    refused = ask("/invoices", "POST", headers=vestibule.headers(vestibule.token_for("eve")))
    head, _, body = answer.partition("\n\n")
    status, *fields = head.splitlines()
    assert status == f"HTTP/1.1 {refused.status_code} {refused.reason_phrase}"
    for name, value in (field.split(": ", 1) for field in fields):
        assert refused.headers[name] == value
    assert refused.json() == json.loads(body)


@pytest.mark.parametrize("project", projects().values(), ids=projects())
def test_the_files_of_a_framework_are_short_and_show_the_same(project: Project) -> None:
    text = "\n".join(project.files.values())
    assert SHORTEST <= len([line for line in text.splitlines() if line]) <= LONGEST
    for shown in ('os.environ["VESTIBULE_URL"]', 'os.environ["SERVICE_KEY"]', "email_verified", ".role", '"admin"'):
        assert shown in text, shown
