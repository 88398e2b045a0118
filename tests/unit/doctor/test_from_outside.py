"""A server from outside: Vestibule itself, certificates, and proxies that spoil what it said."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.harness.clock import ManualClock
from tests.harness.mail_server import certified
from tests.harness.process import given_keys, serving
from tests.harness.servers import free_port
from tests.unit.doctor import FAULT, FINE, HINT, WARNING, severity_of
from tests.unit.doctor.conftest import Chosen
from vestibule.doctor import outside
from vestibule.model.clock import SystemClock
from vestibule.model.findings import Finding
from vestibule.settings.fields import Settings

NOT_LOCAL = "0.0.0.0"  # leads to this machine on Linux, and is no address of it


def look(settings: Settings, url: str) -> list[Finding]:
    return outside.check(settings, SystemClock(), url)


def test_vestibule_itself(chosen: Chosen, tmp_path: Path) -> None:
    with serving(tmp_path, VESTIBULE_HOST="0.0.0.0", **given_keys()) as server:
        assert [finding.severity for finding in look(chosen(), server.base)] == [FINE]
        assert "origin_refused" not in server.log.read_text(), "the doctor's own origin is nobody's front-end"
        elsewhere = f"http://{NOT_LOCAL}:{server.port}"
        assert severity_of(look(chosen(), elsewhere), "development mode") is WARNING
        unlisted = chosen(ORIGIN="https://app.example.com")
        assert (
            severity_of(look(unlisted, server.base), "CORS refuses the front-end at https://app.example.com") is FAULT
        )
        clock = ManualClock()
        assert severity_of(outside.check(chosen(), clock, server.base), "s apart") is WARNING


def test_vestibule_in_production(chosen: Chosen, tmp_path: Path, production: dict[str, str]) -> None:
    hosts = {"VESTIBULE_ALLOWED_HOSTS": NOT_LOCAL, "VESTIBULE_HOST": "0.0.0.0"}
    with serving(tmp_path, **{**production, **hosts}, **given_keys()) as server:
        settings = chosen(ORIGIN=production["ORIGIN"])
        found = look(settings, f"http://{NOT_LOCAL}:{server.port}")
        assert severity_of(found, "sets Secure cookies, and is reached over plain HTTP") is FAULT
        found = look(settings, f"http://127.0.0.3:{server.port}")
        assert severity_of(found, "does not answer to the name 127.0.0.3") is FAULT


def test_nobody_there(chosen: Chosen) -> None:
    assert severity_of(look(chosen(), f"http://127.0.0.1:{free_port()}"), "does not answer") is FAULT
    assert severity_of(look(chosen(), "auth.example.com"), "is not the URL of a server") is FAULT


class Proxy(BaseHTTPRequestHandler):
    """A server in front that answers in Vestibule's place, and spoils it."""

    status, me_status, origins = 200, 401, ("{origin}",)
    kept = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Strict-Transport-Security", "1"))

    def do_GET(self) -> None:
        self._answer(self.me_status if self.path == "/api/users/me" else self.status, b'{"status":"success"}')

    def do_OPTIONS(self) -> None:
        self._answer(204, b"")

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        for origin in self.origins if "Origin" in self.headers else ():
            if origin == "*" or "nobody" not in self.headers["Origin"]:
                self.send_header("Access-Control-Allow-Origin", origin.format(origin=self.headers["Origin"]))
        for name, value in self.kept:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what went wrong."""


@contextmanager
def in_front(tls: ssl.SSLContext | None = None, **spoilt: object) -> Iterator[int]:
    """The port of such a server."""
    server = HTTPServer(("127.0.0.1", 0), type("Spoiling", (Proxy,), spoilt))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("spoilt", "severity", "words"),
    [
        ({"status": 502}, FAULT, "answers 502, unlike Vestibule"),
        ({"me_status": 302}, FAULT, "without a token answers 302 instead of 401"),
        ({"origins": ("*",)}, FAULT, "CORS allows any web page"),
        ({"origins": ("{origin}", "{origin}")}, FAULT, "the proxy adds CORS headers"),
        ({"kept": Proxy.kept[1:]}, FAULT, "Cache-Control: no-store is lost"),
        ({"kept": Proxy.kept[:1]}, HINT, "the security headers are lost"),
    ],
)
def test_a_proxy_that_spoils_it(chosen: Chosen, spoilt: dict[str, object], severity: object, words: str) -> None:
    with in_front(**spoilt) as port:
        assert severity_of(look(chosen(), f"http://127.0.0.1:{port}"), words) is severity


def test_certificates(chosen: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = certified("localhost")
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate + key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    with in_front(tls) as port:
        refused = look(chosen(), f"https://127.0.0.1:{port}")
        assert severity_of(refused, "the certificate of 127.0.0.1 is not accepted") is FAULT
        assert any("SSL_CERT_FILE" in finding.remedy for finding in refused)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        found = look(chosen(), f"https://127.0.0.1:{port}")
        assert severity_of(found, "the certificate of 127.0.0.1 expires in 0 days") is WARNING
