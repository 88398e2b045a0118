"""What a service says of a Vestibule that it does not reach: what to correct, or that it may pass; in right words."""

import errno
import os
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.harness.mail_server import certified
from tests.harness.servers import WAIT_SECONDS
from tests.unit.doctor.test_from_outside import in_front
from vestibule.client import NotVestibuleError, reasons

NOT_PERMITTED = os.strerror(errno.EPERM)  # OpenSSL's faults have the number 1, as this one of the system has


def fault_of(url: str, trusted: ssl.SSLContext | None = None) -> httpx.ConnectError:
    """What httpx raises when it cannot connect."""
    asking = httpx.Client(trust_env=False, verify=trusted or True, timeout=WAIT_SECONDS)
    with asking as http, pytest.raises(httpx.ConnectError) as raised:
        http.get(url)
    return raised.value


def correction_of(fault: Exception, url: str) -> str | None:
    """What an operator has to correct; None if the fault may pass."""
    found = reasons.as_setup_fault(fault, httpx.URL(url))
    assert (found is fault) != isinstance(found, NotVestibuleError)
    return None if found is fault else str(found)


RESOLVERS = [("EAI_NONAME", True), ("EAI_NODATA", True), ("EAI_AGAIN", False), ("EAI_FAIL", False)]


@pytest.mark.parametrize(("code", "lasting"), RESOLVERS, ids=[name for name, _ in RESOLVERS])
def test_k5_only_a_name_that_does_not_exist_is_to_be_corrected(
    code: str, lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K5: while the resolver is away, which may pass, a service starts."""

    def resolver(*_: object, **__: object) -> None:
        raise socket.gaierror(getattr(socket, code), "as the system says it")

    monkeypatch.setattr("socket.getaddrinfo", resolver)
    url = "https://auth.example.com"
    fault = fault_of(url)
    assert correction_of(fault, url) == ("the name auth.example.com leads nowhere; check the url" if lasting else None)
    assert reasons.why(fault) == "ConnectError: the host's name could not be looked up"


CERTIFICATES = [
    ("localhost", -1, False, "is not trusted on this machine; name its authority's file in SSL_CERT_FILE"),
    ("localhost", -3, True, "has expired; renew it there. If it is valid, this machine's clock may be wrong"),
    ("localhost", 1, True, "is not valid yet; this machine's clock may be wrong"),
    ("other.example", -1, True, "is for another name; check the url, or get one for 127.0.0.1 there"),
]


@pytest.mark.parametrize(("name", "begins", "known", "said"), CERTIFICATES)
def test_k30_a_certificate_that_is_refused_is_told_with_its_own_remedy(
    name: str, begins: int, known: bool, said: str, tmp_path: Path
) -> None:
    certificate, key = certified(name, begins=timedelta(days=begins))
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate + key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    with in_front(tls, status=404) as port:
        url = f"https://127.0.0.1:{port}"
        fault = fault_of(url, ssl.create_default_context(cafile=file if known else None))
    assert (correction_of(fault, url) or "").startswith(f"the certificate of 127.0.0.1 {said}")
    assert reasons.why(fault) == "ConnectError: no TLS connection: certificate verify failed"


CUT = b""  # which ends the handshake
ALERT = bytes([21, 3, 3, 0, 2, 2, 80])  # internal error (RFC 8446, section 6), as of a proxy without a certificate yet
BEGINNINGS = [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", True),
    (b"SSH-2.0-OpenSSH_9.6\r\n", True),
    (CUT, False),
    (ALERT, False),
]


@pytest.mark.parametrize(("sent", "lasting"), BEGINNINGS, ids=["HTTP", "SSH", "cut", "alert"])
def test_k5_only_bytes_that_are_no_tls_are_to_be_corrected(sent: bytes, lasting: bool) -> None:
    """K5: a proxy that restarts cuts connections, and is back a moment later."""
    with beginning_with(sent) as port:
        url = f"https://127.0.0.1:{port}"
        fault = fault_of(url)
    assert correction_of(fault, url) == (
        "127.0.0.1 does not speak TLS on this port; check the url" if lasting else None
    )
    assert reasons.why(fault).startswith("ConnectError: ")
    assert NOT_PERMITTED not in reasons.why(fault)


def test_k5_a_connection_that_is_reset_in_its_handshake_may_pass() -> None:
    with beginning_with(None) as port:
        url = f"https://127.0.0.1:{port}"
        fault = fault_of(url)
    assert correction_of(fault, url) is None
    assert reasons.why(fault) == f"ConnectError: {os.strerror(errno.ECONNRESET)}"


@contextmanager
def beginning_with(sent: bytes | None) -> Iterator[int]:
    """The port of a server that reads the client's greeting, answers with these bytes, and closes; None: that resets
    the connection.
    """

    def answer() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            if sent is None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                client.sendall(sent)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
