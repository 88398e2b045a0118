"""TLS on the way to PostgreSQL, as libpq's parameters ask for it (PostgreSQL's manual, 34.19)."""

import ssl
from pathlib import Path

from vestibule.model.paths import path_from
from vestibule.protocol.files import read_bounded

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey")
_SYSTEM = "system"
_MAX_FILE_BYTES = 10_000_000  # many times the certificates of all public authorities
_USUAL_ROOT = "~/.postgresql/root.crt"


def context(mode: str, files: dict[str, str]) -> ssl.SSLContext | str:
    """Return the driver's `ssl` argument: a context, or the mode itself if the driver needs no more. `files` has the
    paths of those `FILES` that were given. Raises ValueError, which names the wrong parameter.

    If `files` has `sslrootcert`, the server's certificate is checked against it. The host name is checked only with
    verify-full.
    """
    if mode not in MODES:
        raise ValueError(f"has the unknown sslmode {mode!r}; {', '.join(MODES)} are known")
    if ("sslcert" in files) is not ("sslkey" in files):
        raise ValueError("has only one of sslcert and sslkey; an authority to check the server with is sslrootcert")
    if mode in {"disable", "allow", "prefer"} or (mode == "require" and not files):
        if files:
            raise ValueError(
                f"has {min(files)}, but sslmode={mode}; it is used only with require, verify-ca or verify-full"
            )
        return mode
    tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _trust(tls_context, files.get("sslrootcert", ""))
    tls_context.check_hostname = mode == "verify-full"
    if mode == "require" and "sslrootcert" not in files:  # libpq then encrypts without checking the certificate
        tls_context.verify_mode = ssl.CERT_NONE
    if "sslcert" in files:
        _load_client_certificate(tls_context, files["sslcert"], files["sslkey"])
    return tls_context


def _trust(tls_context: ssl.SSLContext, authorities: str) -> None:
    """Trust the certificate authorities in the file `authorities`, if given; otherwise those in libpq's usual file, if
    it exists; otherwise the machine's. Raises ValueError.
    """
    authorities = authorities or _usual_root()
    if authorities == _SYSTEM:
        tls_context.load_default_certs()
        return
    path, pem = _read_file("sslrootcert", authorities)
    try:
        tls_context.load_verify_locations(cadata=pem.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise ValueError(f"has sslrootcert={path}, in which there is no certificate") from None


def _usual_root() -> str:
    try:
        return _USUAL_ROOT if path_from(_USUAL_ROOT).is_file() else _SYSTEM
    except (OSError, ValueError):  # the home folder is missing or not readable
        return _SYSTEM


def _load_client_certificate(tls_context: ssl.SSLContext, certificate: str, key: str) -> None:
    certificate_path, _ = _read_file("sslcert", certificate)
    key_path, _ = _read_file("sslkey", key)
    try:
        tls_context.load_cert_chain(certificate_path, key_path, password=_no_password)
    except (ssl.SSLError, ValueError):
        raise ValueError(
            f"has sslcert={certificate_path} and sslkey={key_path}, which are not a certificate and its unencrypted key"
        ) from None


def _read_file(name: str, text: str) -> tuple[Path, bytes]:
    """Return a file's path and content; raises ValueError if it cannot be read."""
    try:
        path = path_from(text)
        return path, read_bounded(path, _MAX_FILE_BYTES)
    except OSError as fault:
        raise ValueError(f"has {name}={text}, which cannot be read: {fault.strerror}") from None
    except ValueError as fault:  # the path names an unknown user's home, has a NUL, or is a device's
        raise ValueError(f"has {name}={text!r}, which {fault}") from None


def _no_password() -> str:
    """Raise ValueError: otherwise OpenSSL would ask for the key's password at the terminal."""
    raise ValueError
