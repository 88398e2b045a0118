"""A mail server of the tests ends with its connections, whatever its client was doing."""

import gc
import smtplib
import ssl
import warnings

import pytest

from tests.harness.mail_server import HOST, MailServer, certified, running
from tests.harness.servers import WAIT_SECONDS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(b"".join(certified("localhost")))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "starttls"])
def test_a_client_that_stays_leaves_no_socket_to_the_garbage_collector(secured: bool, tls: ssl.SSLContext) -> None:
    gc.collect()
    with running(MailServer(), tls_context=tls) as port:
        client = smtplib.SMTP(HOST, port, timeout=WAIT_SECONDS)
        if secured:
            client.starttls(context=ssl._create_unverified_context())  # nothing is told to this server
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        gc.collect()
    client.close()
    assert [str(warning.message) for warning in warned] == []
