"""What is used of granian beyond its documents: each member by name, so that a release without it is found here."""

import tomllib
from importlib.metadata import version
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType

import granian._signals
import pytest
from granian.server import mp
from packaging.requirements import Requirement

from tests.docs.paths import ROOT
from vestibule.cli.supervisor import Supervisor

INSTALLED = version("granian")
# Who calls each of the methods that the supervisor overrides; nobody would notice one that is called no more.
CALLED_BY = {
    "startup": "_serve",
    "shutdown": "_serve",
    "signal_handler_interrupt": "startup",
    "_spawn_worker": "_spawn_workers",
    "_respawn_workers": "_serve_loop",
    "_stop_workers": "shutdown",
}
ATTRIBUTES = ("interrupt_children", "interrupt_signal", "main_loop_interrupt", "workers_kill_timeout", "wrks")
OF_A_WORKER = ("is_alive", "join", "terminate")


@pytest.fixture(scope="module")
def server() -> mp.MPServer:
    return mp.MPServer("vestibule.app:application", log_enabled=False)


def require(found: bool, member: str, used_in: str = "cli/supervisor.py") -> None:
    assert found, (
        f"granian {INSTALLED} has no {member} as {used_in} uses it: read how it starts and ends its workers now, and "
        "change that file before the ceiling in pyproject.toml is raised"
    )


def names_in(code: CodeType) -> set[str]:
    return {
        *code.co_names,
        *(name for inner in code.co_consts if isinstance(inner, CodeType) for name in names_in(inner)),
    }


@pytest.mark.parametrize("method", CALLED_BY)
def test_granian_calls_what_is_overridden(method: str) -> None:
    require(callable(getattr(mp.MPServer, method, None)), f"MPServer.{method}")
    caller = getattr(mp.MPServer, CALLED_BY[method], None)
    require(caller is not None and method in names_in(caller.__code__), f"call of {method} in {CALLED_BY[method]}")


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_granian_has_what_is_read_and_set(server: mp.MPServer, attribute: str) -> None:
    require(hasattr(server, attribute), f"MPServer().{attribute}")
    require(
        attribute in names_in(mp.MPServer._serve_loop.__code__) | names_in(mp.MPServer._stop_workers.__code__),
        attribute,
    )


@pytest.mark.parametrize("method", OF_A_WORKER)
def test_a_worker_can_be_told_and_waited_for(method: str) -> None:
    require(callable(getattr(mp.WorkerProcess, method, None)), f"WorkerProcess.{method}")
    require(
        "inner" in names_in(getattr(mp.WorkerProcess, method).__code__), "WorkerProcess().inner, a process with a pid"
    )


def test_a_worker_is_watched_by_a_thread() -> None:
    require("_watch" in names_in(mp.WorkerProcess.start.__code__), "call of _watch in WorkerProcess.start")
    require({"Thread", "_watcher"} <= names_in(mp.WorkerProcess._watch.__code__), "thread in WorkerProcess._watch")
    watcher = names_in(mp.WorkerProcess._watcher.__code__)
    require({"interrupt_by_parent", "interrupt_children", "idx"} <= watcher, "what WorkerProcess._watcher does")


def test_a_worker_looks_up_late_how_it_hears_signals() -> None:
    here = "process/first_signal.py"
    require(callable(getattr(granian._signals, "set_loop_signals", None)), "_signals.set_loop_signals", here)
    require(callable(getattr(granian._signals, "WorkerSignal", None)), "_signals.WorkerSignal", here)
    require(not hasattr(mp, "set_loop_signals"), "late import of set_loop_signals", here)
    require(
        "set_loop_signals" in names_in(unwrap(mp.MPServer._spawn_asgi_lifespan_worker).__code__),
        "set_loop_signals",
        here,
    )


def test_nothing_else_of_granian_is_used(server: mp.MPServer) -> None:
    functions = [each for each in vars(Supervisor).values() if isinstance(each, FunctionType)]
    used = {name for each in functions for name in (each.__name__, *names_in(each.__code__)) if hasattr(server, name)}
    assert used - {"__init__", "pid", "serve"} == {*CALLED_BY, *ATTRIBUTES}  # the pid is that of a worker's process


def test_no_release_is_installed_that_was_not_read() -> None:
    project = tomllib.loads(Path(ROOT / "pyproject.toml").read_text())["project"]
    (wanted,) = (Requirement(each) for each in project["optional-dependencies"]["server"] if each.startswith("granian"))
    assert {"<", ">="} == {each.operator for each in wanted.specifier}
    assert INSTALLED in wanted.specifier
