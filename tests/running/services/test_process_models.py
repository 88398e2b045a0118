"""Whatever server runs a service, and however it forks: each worker hears of sign-outs, and gets over an outage."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import not_to_be_had
from tests.harness.app_servers import STALENESS_SECONDS, Row, Start, serving_app
from tests.harness.fault_proxy import Fault, in_front_of
from tests.harness.process import UNLIMITED, Running, given_keys, register, run, serving, sign_in
from tests.harness.rounds import WHOLE
from tests.harness.servers import SLACK_SECONDS, NotToBeHad

EMAIL = "ada@example.com"
WSGI, ASGI = "tests.running.services.wsgi_app:app", "tests.running.services.asgi_app:app"
GUNICORN = ("gunicorn", "--workers", "2", "--bind", "127.0.0.1:{port}")
WORKER_CLASSES = {
    "sync": ("--worker-class", "sync", WSGI),
    "gthread": ("--worker-class", "gthread", "--threads", "4", WSGI),
    "uvicorn": ("--worker-class", "uvicorn_worker.UvicornWorker", ASGI),
}
# Without threads nothing runs in the background of uWSGI, and without the last but one it takes SIGTERM for a reload.
UWSGI = ("uwsgi", "--master", "--processes", "2", "--enable-threads", "--die-on-term", "--virtualenv", sys.prefix)
UWSGI += ("--http-socket", "127.0.0.1:{port}", "--module", WSGI)
WAITRESS = ("waitress-serve", "--listen", "127.0.0.1:{port}")
GRANIAN = ("granian", "--workers", "2", "--port", "{port}", "--interface")
POOL = ("python", "-m", "tests.running.services.pool_app")

SERVERS = [
    Row("uvicorn", ("uvicorn", "--workers", "2", "--port", "{port}", ASGI), Start.WAITED, in_suite=True),
    Row("hypercorn", ("hypercorn", "--workers", "2", "--bind", "127.0.0.1:{port}", ASGI), Start.IMPORT, in_suite=True),
    Row("granian asgi", (*GRANIAN, "asgi", ASGI), Start.IMPORT, in_suite=True),
    Row("granian wsgi", (*GRANIAN, "wsgi", WSGI), Start.WAITED),
    # It has no way of stopping at SIGTERM, which simply kills it.
    Row("waitress", (*WAITRESS, WSGI), Start.IMPORT, workers=1, stopped_by=signal.SIGINT, in_suite=True),
]
ROWS = [
    *(Row(f"gunicorn {kind}", (*GUNICORN, *rest), in_suite=kind == "sync") for kind, rest in WORKER_CLASSES.items()),
    *(
        Row(
            f"gunicorn {kind} preloaded, started {start.name}",
            (*GUNICORN, "--preload", *rest),
            start,
            in_suite=start is Start.IMPORT or (start is Start.WAITED and kind == "sync"),
        )
        for kind, rest in WORKER_CLASSES.items()
        for start in Start
    ),
    Row("uwsgi, started IMPORT", UWSGI, Start.IMPORT, in_suite=True),
    Row("uwsgi, started WAITED", UWSGI, Start.WAITED, in_suite=True),
    Row("uwsgi, application loaded by each worker", (*UWSGI, "--lazy-apps"), Start.IMPORT, in_suite=True),
    *SERVERS,
    *(
        Row(f"pool by {method}", (*POOL, method, "{port}"), Start.WAITED, in_suite=method == "fork")
        for method in ("fork", "forkserver", "spawn")
    ),
]

ANSWER_SECONDS = 5.0
"""How long the first requests may wait for the first answers of Vestibule; and the longest pause between attempts."""
SIGN_OUT_SECONDS = 1.0


@dataclass(frozen=True)
class Known:
    """A Vestibule, its key for services, and the token of somebody who stays signed in."""

    server: Running
    key: str
    token: str


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    folder, settings = tmp_path_factory.mktemp("vestibule"), given_keys() | UNLIMITED
    with serving(folder, **settings) as server, server.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        key = run(folder, "services", "create", "tests", **settings).stdout.strip()
        yield Known(server, key, browser.cookies["access_token"])


@pytest.mark.parametrize("row", [row for row in ROWS if WHOLE or row.in_suite], ids=lambda row: row.name)
def test_k9_every_worker_hears_of_a_sign_out_and_gets_over_an_outage(row: Row, known: Known, tmp_path: Path) -> None:
    """K9: under every server; and it ends when it is told to, with nothing left."""
    try:
        the_whole_day(row, known, tmp_path)
    except NotToBeHad as reason:
        not_to_be_had(reason)


def the_whole_day(row: Row, known: Known, folder: Path) -> None:
    with (
        in_front_of(known.server.port) as way,
        serving_app(row, folder, f"http://127.0.0.1:{way.port}", known.key) as app,
        known.server.browser() as browser,
    ):
        sign_in(browser, EMAIL)
        leaving = browser.cookies["access_token"]
        app.wait_for(200, leaving, ANSWER_SECONDS + SLACK_SECONDS)
        browser.post("/api/auth/logout")
        app.wait_for(401, leaving, SIGN_OUT_SECONDS + SLACK_SECONDS, before=200)
        way.set(Fault.REFUSE)
        app.wait_for(503, known.token, STALENESS_SECONDS + SLACK_SECONDS, before=200)
        way.set(Fault.NONE)
        app.wait_for(200, known.token, ANSWER_SECONDS + SLACK_SECONDS)
        app.wait_for(401, leaving, SLACK_SECONDS)
        assert len(app.pids) == row.workers, "a worker has died meanwhile"
        assert app.stop() == 0
        assert "Traceback" not in app.output
