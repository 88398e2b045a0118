"""The testing aid: it does what it says inside a test, and cannot be switched on anywhere else."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.harness.servers import WAIT_SECONDS
from vestibule.client import CallerRefusedError, CannotTellError, SessionOverError, TokenInvalidError, Verifier
from vestibule.client.testing import NotInTestError, SignedIn, _require_running
from vestibule.web.api.answers import PublicUser


@pytest.fixture
def verifier() -> Verifier:
    return Verifier("https://auth.example.com", "vsk_x")


def test_a_token_is_believed(verifier: Verifier, vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada", role="admin")
    assert (verifier.check(token).id, verifier.check(token).role) == ("ada", "admin")


# What is done to Ada's first token, and what becomes of it, of another of its session, of one of another session of
# hers, of Bob's, and of one that she gets afterwards.
GOOD = None
DONE: dict[str, tuple[Callable[[SignedIn, str], object], tuple[type[Exception] | None, ...]]] = {
    "expire": (lambda aid, token: aid.expire(token), (TokenInvalidError, GOOD, GOOD, GOOD, GOOD)),
    "revoke": (lambda aid, token: aid.revoke(token), (SessionOverError, SessionOverError, GOOD, GOOD, GOOD)),
    "revoke_all": (lambda aid, _: aid.revoke_all("ada"), (*[SessionOverError] * 3, GOOD, GOOD)),
    "make_stale": (lambda aid, _: aid.make_stale(), (CannotTellError,) * 5),
    "expire, then revoke": (
        lambda aid, token: (aid.expire(token), aid.revoke(token)),
        (TokenInvalidError, SessionOverError, GOOD, GOOD, GOOD),
    ),
    "revoke, then expire": (
        lambda aid, token: (aid.revoke(token), aid.expire(token)),
        (TokenInvalidError, SessionOverError, GOOD, GOOD, GOOD),
    ),
    "make_stale, then revoke": (
        lambda aid, token: (aid.make_stale(), aid.revoke(token)),
        (SessionOverError, SessionOverError, *[CannotTellError] * 3),
    ),
}


@pytest.mark.parametrize(("do", "outcomes"), DONE.values(), ids=DONE)
def test_what_is_done_to_a_token_counts_for_what_its_name_says(
    verifier: Verifier,
    vestibule: SignedIn,
    do: Callable[[SignedIn, str], object],
    outcomes: tuple[type[Exception] | None, ...],
) -> None:
    first, second, other, of_bob = (
        vestibule.token_for(user, session=session)
        for user, session in [("ada", "s1"), ("ada", "s1"), ("ada", "s2"), ("bob", "s3")]
    )
    do(vestibule, first)
    tokens = (first, second, other, of_bob, vestibule.token_for("ada"))
    assert tuple(what_comes_of(verifier, token) for token in tokens) == outcomes


def what_comes_of(verifier: Verifier, token: str) -> type[Exception] | None:
    try:
        verifier.check(token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return GOOD


@pytest.mark.parametrize("do", [SignedIn.expire, SignedIn.revoke])
def test_a_token_of_somebody_else_is_told(vestibule: SignedIn, do: Callable[[SignedIn, str], None]) -> None:
    with pytest.raises(ValueError, match="token_for"):
        do(vestibule, "a.b.c")


def test_a_token_has_the_claims_it_is_given_also_those_that_make_it_bad(
    verifier: Verifier, vestibule: SignedIn
) -> None:
    caller = verifier.check(vestibule.token_for("ada", claims={"tenant": "acme", "scopes": ["read"], "role": "admin"}))
    assert (caller.claims["tenant"], caller.claims["scopes"], caller.role) == ("acme", ["read"], "admin")
    with pytest.raises(TokenInvalidError):
        verifier.check(vestibule.token_for("ada", claims={"aud": "another"}))


async def test_tasks_decide_by_it_too(verifier: Verifier, vestibule: SignedIn) -> None:
    assert (await verifier.check_async(vestibule.token_for("ada"))).id == "ada"


def test_without_the_fixture_a_verifier_is_the_real_one() -> None:
    assert Verifier._decide.__module__ == "vestibule.client.verifier"


@pytest.mark.parametrize("variables", [{}, {"PYTEST_CURRENT_TEST": "made up"}])
def test_outside_a_test_nothing_switches_it_on(variables: dict[str, str]) -> None:
    program = (
        "import vestibule.client.testing as aid\n"
        "from vestibule.client import Verifier\n"
        "before = Verifier._decide\n"
        "for ask in (lambda: aid.vestibule(None, None), lambda: aid.vestibule.__wrapped__(None, None),\n"
        "            lambda: aid._require_running(None)):\n"
        "    try:\n"
        "        ask()\n"
        "        print('switched on')\n"
        "    except BaseException as refusal:\n"
        "        print(type(refusal).__name__)\n"
        "assert Verifier._decide is before\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=variables, check=True, timeout=60
    )
    assert "switched on" not in done.stdout
    assert done.stdout.splitlines()[-1] == "NotInTestError"


def test_a_project_names_it_as_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["vestibule.client.testing"]\n')
    (tmp_path / "test_theirs.py").write_text(
        "from vestibule.client import Verifier\n"
        "verifier = Verifier('https://auth.example.com', 'vsk_x')\n"
        "def test_theirs(vestibule):\n"
        "    assert verifier.check(vestibule.token_for('ada')).id == 'ada'\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert "1 passed" in done.stdout, done.stdout


def test_it_says_why_it_refuses() -> None:
    with pytest.raises(NotInTestError, match="inside a running pytest test"):
        _require_running(None)  # type: ignore[arg-type]
    assert not issubclass(NotInTestError, CallerRefusedError)


async def test_a_profile_is_told_in_tasks_and_of_an_operator_who_acts(vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada", role="admin", actor="olive")
    async with httpx.AsyncClient(base_url="https://vestibule.test", timeout=WAIT_SECONDS) as client:
        data = (await client.get("/api/users/me", headers=vestibule.headers(token))).json()["data"]
    assert (data["user"]["email"], data["user"]["role"], data["actor"]) == (
        "ada@example.com",
        "admin",
        {"id": "olive"},
    )


def test_a_profile_has_the_members_that_vestibule_sends(vestibule: SignedIn) -> None:
    url, headers = "https://vestibule.test/api/users/me", vestibule.headers(vestibule.token_for("ada"))
    assert set(httpx.get(url, headers=headers, timeout=WAIT_SECONDS).json()["data"]["user"]) == {
        field.alias or name for name, field in PublicUser.model_fields.items()
    }


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [("GET", "/api/users/me", False), ("GET", "/api/users", True), ("DELETE", "/api/users/me", True)],
)
def test_every_other_request_goes_where_it_went(vestibule: SignedIn, method: str, path: str, known: bool) -> None:
    sent = vestibule.headers(vestibule.token_for("ada")) if known else {"Authorization": "Bearer a.b.c"}
    with pytest.raises(httpx.ConnectError):
        httpx.request(method, f"http://127.0.0.1:1{path}", headers=sent, timeout=WAIT_SECONDS)
