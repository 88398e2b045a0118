"""An authority of one's own: `ssl_context` and `SSL_CERT_FILE` make its certificates good, everywhere that connects."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.mail_server import certified
from tests.unit.doctor.test_from_outside import in_front
from vestibule.client import NotReachedError, NotVestibuleError, Session, Verifier, wire

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Private:
    """A server by a certificate that no machine knows."""

    url: str
    certificate: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    certificate, key = certified("localhost")
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(certificate + key)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    with in_front(tls, status=404) as port:
        yield Private(f"https://127.0.0.1:{port}", file)


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def reached(private: Private, context: ssl.SSLContext | None = None) -> list[str]:
    """What a verifier and a session say of the server: that it answers 404, once they have reached it."""
    said = []
    verifier = Verifier(private.url, "vsk_x", ssl_context=context)
    session = Session(private.url, ssl_context=context)
    for ask in (verifier.start, lambda: session.sign_in("ada@example.com", "correct horse")):
        with pytest.raises(NotReachedError) as told:
            ask()
        said.append(str(told.value))
    verifier.close()
    session.close()
    return said


def test_k30_without_either_it_says_what_to_give(private: Private) -> None:
    for said in reached(private):
        assert "the certificate of 127.0.0.1 is not trusted on this machine" in said
        assert "ssl_context" in said
        assert "SSL_CERT_FILE" in said


def test_by_an_argument(private: Private) -> None:
    for said in reached(private, private.trusted):
        assert "answers 404" in said or said.endswith("could not be reached: 501")


def test_by_the_variable_that_other_programs_read(private: Private, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(private.certificate))
    for said in reached(private):
        assert "not trusted" not in said
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(private.certificate.parent))
    assert "not trusted" in reached(private)[0]  # a folder of hashed names


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
@pytest.mark.parametrize("make", [lambda url: Verifier(url, "vsk_x"), Session], ids=["Verifier", "Session"])
def test_a_variable_that_names_no_certificates_is_one_sentence_when_it_is_made(
    make: type[Session], content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(ValueError, match=r"SSL_CERT_FILE: .*/ca.pem holds no certificates that can be read"):
        make("https://auth.example.com")


def test_where_no_variable_is_set_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(tmp_path / "nothing.pem"))
    with pytest.raises(ValueError, match="the package certifi holds no certificates that can be read"):
        wire.context_of("https://auth.example.com")


def test_what_is_no_context_is_refused() -> None:
    for wrong in (False, "ca.pem", ssl):
        with pytest.raises(ValueError, match="ssl_context is one"):
            wire.context_of("https://auth.example.com", wrong)  # type: ignore[arg-type]


def test_k30_certificates_are_checked_by_default() -> None:
    context = wire.context_of("https://auth.example.com")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert issubclass(NotVestibuleError, NotReachedError)
