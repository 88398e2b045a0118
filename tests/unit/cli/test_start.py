"""What a server has loaded when it forks its workers: all that they share, and nothing that is not used."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import backends
from tests.harness.process import environment, given_keys
from tests.harness.servers import free_port
from vestibule.process import garbage

# In the place of workers: what they would inherit.
_TELL = """
import gc, json, sys
from vestibule import __main__ as program
from vestibule.cli.supervisor import Supervisor

def tell(self, production):
    values = sys.modules["prometheus_client.values"] if "prometheus_client.values" in sys.modules else None
    print(json.dumps({
        "loaded": sorted(sys.modules),
        "metrics": values.ValueClass.__qualname__ if values else "",
        "collects": gc.isenabled(),
        "left_out": gc.get_freeze_count(),
        "looked_at": len(gc.get_objects()),
    }))

Supervisor.run = tell
sys.argv = ["vestibule", "serve", "--port", "0"]
program.main()
"""


def before_the_fork(folder: Path, **settings: str) -> dict[str, object]:
    backends.embedded(folder / "vestibule-data")
    around = environment(folder, given_keys() | settings)
    done = subprocess.run(
        [sys.executable, "-c", _TELL], cwd=folder, env=around, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    return {**told, "loaded": set(told["loaded"])}


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked nowhere else")
def test_workers_inherit_the_application_and_nothing_that_is_not_set(tmp_path: Path) -> None:
    told = before_the_fork(tmp_path)
    loaded = told["loaded"]
    assert isinstance(loaded, set)
    assert {"vestibule.app", "fastapi"} <= loaded
    assert not {"redis", "alembic", "vestibule.wiring.on_redis", "vestibule.wiring.traced"} & loaded
    assert told["collects"]


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked nowhere else")
def test_what_is_set_is_loaded_after_the_place_for_metrics_is_known(tmp_path: Path) -> None:
    told = before_the_fork(tmp_path, REDIS_URL="redis://127.0.0.1:1/0", VESTIBULE_METRICS=f"127.0.0.1:{free_port()}")
    loaded = told["loaded"]
    assert isinstance(loaded, set)
    assert "redis" in loaded
    assert str(told["metrics"]).startswith("MultiProcessValue"), "or processes would count each for itself"


def test_imports_are_left_out_of_every_collection(tmp_path: Path) -> None:
    told = before_the_fork(tmp_path)
    assert int(str(told["left_out"])) > 100_000
    assert int(str(told["looked_at"])) < 50_000


def test_after_a_block_that_fails_garbage_is_collected_again() -> None:
    with pytest.raises(ZeroDivisionError), garbage.collection_paused():
        _fail_without_collections()
    gc.unfreeze()
    assert gc.isenabled()


def _fail_without_collections() -> None:
    assert not gc.isenabled()
    raise ZeroDivisionError
