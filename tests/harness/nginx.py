"""Run the real nginx with the example in deploy/: the same file, with other ports and a test certificate."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.harness.servers import WAIT_SECONDS, NotToBeHad, free_port, listening, wait_until
from vestibule.model.clock import SystemClock

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx" / "vestibule.conf"
NAME = "app.example.com"
_AROUND = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/vestibule.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A proxy that answers on a port of loopback, with TLS, as `NAME`."""

    port: int
    trust: ssl.SSLContext

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """Return a new client, which connects from this address of loopback."""
        transport = httpx.HTTPTransport(verify=self.trust, local_address=address)
        return httpx.Client(
            base_url=f"https://localhost:{self.port}", headers={"Host": NAME}, transport=transport, timeout=WAIT_SECONDS
        )


@contextmanager
def nginx(folder: Path, vestibule: int, service: int) -> Iterator[Nginx]:
    """Yield an nginx in front of a Vestibule and a service on these ports. Raises `NotToBeHad` if it is not
    installed.
    """
    port = free_port()
    certificate, key = certificate_in(folder)
    text = EXAMPLE.read_text()
    for example, here in {
        "127.0.0.1:8000": f"127.0.0.1:{vestibule}",
        "127.0.0.1:9000": f"127.0.0.1:{service}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/app.example.com.pem": str(certificate),
        "/etc/ssl/private/app.example.com.key": str(key),
    }.items():
        assert example in text, f"the example no longer says {example}"
        text = text.replace(example, here)
    with running(folder, text, port):
        yield Nginx(port, ssl.create_default_context(cafile=str(certificate)))


@contextmanager
def running(folder: Path, text: str, port: int) -> Iterator[None]:
    """Run nginx with `text` in its `http` block. Enter the block once it listens on the port, and stop it
    afterwards.
    """
    program = binary()
    (folder / "vestibule.conf").write_text(text)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    with (folder / "nginx.log").open("w") as log:
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=log)
    try:
        wait_until(lambda: listening(port) or process.poll() is not None, "nginx")
        assert process.poll() is None, (folder / "nginx.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def binary() -> str:
    """Return the path of nginx, which Debian installs outside a user's PATH; raises `NotToBeHad`."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
    if found is None:
        raise NotToBeHad("nginx: no nginx here; Debian has it")
    return found


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for localhost and its key, and return their paths."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, kept = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kept.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return shown, kept
