"""What settings may hold: each checked as it is read, and refused with a sentence that shows a right one."""

import base64
import binascii
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from vestibule.crypto.seal import MIN_SECRET_CHARACTERS
from vestibule.model.brand import COLOUR, picture_type

_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]")
_MAX_LOGO_BYTES = 100_000


def _listed(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _host(name: str) -> str:
    if _HOST.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a host name such as auth.example.com (no scheme, no port, no *)")
    return name.lower()


def _at_least_one(origins: tuple[str, ...]) -> tuple[str, ...]:
    if not origins:
        raise ValueError("names no origin")
    return origins


def _exact_origin(origin: str) -> str:
    if _ORIGIN.fullmatch(origin) is None:
        raise ValueError(f"{origin!r} is not an origin such as https://app.example.com (no path, no *)")
    return origin.lower()


def _long_enough(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
        raise ValueError(
            f"is too short: {MIN_SECRET_CHARACTERS} characters at least; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return secret


def _base64_pem(secret: SecretStr) -> SecretStr:
    try:
        base64.b64decode(secret.get_secret_value(), validate=True)
    except binascii.Error:
        raise ValueError("is not base64; it must be a PEM file, base64 as a whole") from None
    return secret


def _networks(text: Any) -> Any:
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an address such as 192.0.2.1, nor a network such as 10.0.0.0/8") from None


def _colour(text: str) -> str:
    if COLOUR.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a colour such as #2b4acb")
    return text.lower()


def _logo(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise ValueError(f"cannot read {path}: {fault.strerror}") from None
    if not picture_type(content) or len(content) > _MAX_LOGO_BYTES:
        raise ValueError(f"{path} is not a PNG, JPEG or GIF of at most {_MAX_LOGO_BYTES // 1000} kB")
    return path


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    return path


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("is not a name on one line")
    return text.strip()


Origin = Annotated[str, AfterValidator(_exact_origin)]
Origins = Annotated[tuple[Origin, ...], NoDecode, AfterValidator(_at_least_one), BeforeValidator(_listed)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_listed)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Pem = Annotated[SecretStr, AfterValidator(_base64_pem)]
SealingSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
Colour = Annotated[str, AfterValidator(_colour)]
Logo = Annotated[Path | None, AfterValidator(_logo)]
Folder = Annotated[Path | None, AfterValidator(_folder)]
OneLine = Annotated[str, AfterValidator(_one_line)]
