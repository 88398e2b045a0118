"""No test waits for a server for fewer than `WAIT_SECONDS`, nor for httpx's default of five seconds."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.harness.servers import WAIT_SECONDS

TESTS = Path(__file__).parents[1]
ASKING = {"get", "post", "put", "patch", "delete", "head", "request", "stream", "Client", "AsyncClient"}
PATIENT = {"timeout", "transport"}
"""Arguments of which a call must have one: a timeout, or a transport, which is no network or has a timeout itself."""


def hasty(path: Path) -> Iterator[str]:
    """Yield each call of httpx's functions and clients that has no timeout, or one that is too short."""
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and asks(call) and not is_patient(call):
            yield f"{path.relative_to(TESTS)}:{call.lineno}"


def is_patient(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    timeout = given.get("timeout")
    return bool(PATIENT & given.keys()) and not (isinstance(timeout, ast.Constant) and timeout.value < WAIT_SECONDS)


def asks(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called.startswith("httpx.") and called.removeprefix("httpx.") in ASKING


def test_whoever_asks_a_server_says_how_long() -> None:
    asking = [path for path in TESTS.rglob("*.py") if "httpx." in path.read_text() and "_project" not in path.name]
    assert len(asking) > 20
    assert [place for path in asking for place in hasty(path)] == []
