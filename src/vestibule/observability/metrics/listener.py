"""Answer Prometheus: all workers of a machine share one port, and each answers with the metrics of all of them."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_GAUGES_OF_PROCESS = re.compile(r"gauge_live\w*_(\d+)\.db")  # prometheus-client's files; the number is a process id


class _Server(ThreadingMixIn, WSGIServer):
    """An HTTP server that shares its port with other processes, and answers each request on a thread."""

    allow_reuse_port = True
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """A request handler that logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing, because Prometheus asks every few seconds."""


@contextmanager
def listening(host: str, port: int) -> Iterator[None]:
    """Answer Prometheus on a thread while the block lasts; raises `OSError` if another program has the port."""
    folder = os.environ.get(FOLDER)
    registry = REGISTRY
    if folder:
        delete_gauges_of_ended(Path(folder))
        registry = CollectorRegistry()
        # Adds itself to the registry. It reads the metrics of all workers from the folder.
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    with make_server(host, port, make_wsgi_app(registry), server_class=_Server, handler_class=_Silent) as server:
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        yield
        server.shutdown()


def delete_gauges_of_ended(folder: Path) -> None:
    """Delete the gauges of workers that have ended, such as their connections in use. The counters of those workers
    stay.
    """
    for path in folder.glob("gauge_live*.db"):
        found = _GAUGES_OF_PROCESS.fullmatch(path.name)
        if found and not Path(f"/proc/{found.group(1)}").exists():
            mark_process_dead(int(found.group(1)), str(folder))  # type: ignore[no-untyped-call]
