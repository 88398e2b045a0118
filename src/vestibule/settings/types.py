"""What settings may hold: each checked as it is read, and refused with a sentence that shows a right one.

A sentence never repeats a secret, nor the credentials of an address. White space at the ends is gone already.
"""

import base64
import binascii
import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from vestibule.crypto.seal import MIN_SECRET_CHARACTERS
from vestibule.model.brand import COLOUR, picture_type
from vestibule.model.paths import path_from
from vestibule.protocol.files import read_bounded

_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_APP_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_APP_HOST = re.compile(r"[a-z0-9._-]+(:\d{1,5})?")
# What browsers give another meaning, or no origin at all.
_NOT_OF_APPS = {"http", "https", "ws", "wss", "ftp", "file", "data", "blob", "about", "javascript", "null"}
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]")
_DIGITS = re.compile(r"[+-]?[0-9]{1,15}")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SWITCH = dict.fromkeys(("on", "true", "yes", "1"), True) | dict.fromkeys(("off", "false", "no", "0"), False)
_MAPPED = ip_network("::ffff:0:0/96")
MAX_LOGO_BYTES = 100_000
_HIGHEST_PORT = 65535
_LONGEST_SHOWN = 60
_BEHIND_A_PATH = re.compile(r"(?<=.)[?#].*", re.DOTALL)


def shown(text: str) -> str:
    """The text as a sentence may repeat it: in quotation marks, not too long, and without anybody's password, which
    may stand before an @, in a query or in a fragment.
    """
    return repr(_BEHIND_A_PATH.sub("…", "…" + text.rpartition("@")[2] if "@" in text else text))[:_LONGEST_SHOWN]


def pem_of(secret: SecretStr) -> bytes:
    """The PEM in a key setting: base64 as Node takes it, with line breaks, of either alphabet, with padding or without.

    Raises ValueError.
    """
    text = "".join(secret.get_secret_value().split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("is not base64; it must be a PEM file, base64 as a whole") from None


def _listed(text: Any) -> Any:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def whole(text: Any) -> Any:
    """A whole number, written in digits; raises ValueError."""
    if not isinstance(text, str):
        return text
    if _DIGITS.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a whole number in plain digits, such as 900")
    return int(text)


def _switch(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if text.lower() not in _SWITCH:
        raise ValueError(f"{shown(text)} is neither on nor off")
    return _SWITCH[text.lower()]


def _host(name: str) -> str:
    if _HOST.fullmatch(name) is None or (name.startswith("[") and not _is_ipv6(name)):
        raise ValueError(f"{shown(name)} is not a host name such as auth.example.com (no scheme, no port, no *)")
    return name.lower()


def listening_address(name: str) -> str:
    """An address to listen on: an IP address, perhaps in brackets, or a name to be looked up; raises ValueError."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if _is_address(bare):
        return bare
    if _HOST.fullmatch(name) is None or name.startswith("["):
        example = "such as 127.0.0.1, ::1 or localhost (no scheme, no port; 0.0.0.0 for all)"
        raise ValueError(f"{shown(name)} is not an address to listen on, {example}")
    return name


def _metrics_address(text: Any) -> Any:
    """An address and a port; the address of this machine alone where none is named."""
    if not isinstance(text, str):
        return text
    host, colon, port = text.rpartition(":")
    right = port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= _HIGHEST_PORT
    if not right or (":" in host and not host.startswith("[")):
        what = "is not a port such as 9464, nor an address and a port such as 0.0.0.0:9464 or [::1]:9464"
        raise ValueError(f"{shown(text)} {what}")
    return listening_address(host) if colon else "127.0.0.1", int(port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone means nothing to the server library


def _is_ipv6(text: str) -> bool:
    return ":" in text and _is_address(text.strip("[]"))


def _mail_host(name: str) -> str:
    """The mail server's name, in the letters it was given in."""
    if _HOST.fullmatch(name) is None and not _is_address(name):
        raise ValueError(f"{shown(name)} is not a host name such as smtp.example.com (no scheme, no port)")
    return name.strip("[]")


def greeting_name(name: str) -> str:
    """A name for EHLO; an IP address as RFC 5321, section 4.1.3, has it. Raises ValueError."""
    bare = name.strip("[]").removeprefix("IPv6:")
    if _is_address(bare):
        return f"[IPv6:{bare}]" if ":" in bare else f"[{bare}]"
    if name and (_HOST.fullmatch(name) is None or name.startswith("[")):
        raise ValueError(f"{shown(name)} is not a host name such as auth.example.com")
    return name


def _at_least_one(origins: tuple[str, ...]) -> tuple[str, ...]:
    if not origins:
        raise ValueError("names no origin")
    return origins


def _exact_origin(origin: str) -> str:
    try:
        parts = urlsplit(origin)
        right = _ORIGIN.fullmatch(origin) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or no IPv6 address in brackets
        right = False
    if not right:
        raise ValueError(f"{shown(origin)} is not an origin such as https://app.example.com (no path, no *)")
    # Browsers leave the usual port out.
    return origin.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])


def _listed_origin(origin: str) -> str:
    """An origin of the web, or of an app whose pages come with it (`capacitor://localhost`, `tauri://localhost`)."""
    scheme, separator, host = origin.lower().partition("://")
    if separator and scheme not in _NOT_OF_APPS and _APP_SCHEME.fullmatch(scheme) and _APP_HOST.fullmatch(host):
        return origin.lower()
    return _exact_origin(origin)


def _long_enough(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
        raise ValueError(
            f"is too short: {MIN_SECRET_CHARACTERS} characters at least; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return secret


def _base64_pem(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().startswith("-----BEGIN"):
        raise ValueError("is a PEM file as it stands; it must be base64 as a whole: base64 -w0 key.pem")
    pem_of(secret)
    return secret


def _networks(text: Any) -> Any:
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _network(text: str) -> IPv4Network | IPv6Network:
    """A network; one of IPv4 addresses written as IPv6 (RFC 4291, section 2.5.5.2) as what it is."""
    try:
        network = ip_network(text, strict=False)
        right = "%" not in text
    except ValueError:
        right = False
    if not right:
        what = "is not an address such as 192.0.2.1, nor a network such as 10.0.0.0/8"
        raise ValueError(f"{shown(text)} {what}")
    if str(network.network_address) != str(ip_address(text.partition("/")[0])):
        raise ValueError(f"{shown(text)} is an address within a network; did you mean {network}?")
    return _unmapped(network)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if isinstance(network, IPv4Network) or not network.subnet_of(_MAPPED):  # type: ignore[arg-type]  # both are IPv6
        return network
    inner = IPv6Address(network.network_address).ipv4_mapped
    return ip_network(f"{inner}/{network.prefixlen - _MAPPED.prefixlen}")


def _colour(text: str) -> str:
    if COLOUR.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a colour such as #2b4acb")
    return text.lower()


def _path(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return path_from(text)
    except ValueError as fault:
        raise ValueError(f"{shown(text)} {fault}") from None


def _logo(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        content = read_bounded(path, MAX_LOGO_BYTES)
    except OSError as fault:
        raise ValueError(f"cannot read {path}: {fault.strerror}") from None
    except ValueError as fault:
        raise ValueError(f"{path} {fault}") from None
    if not picture_type(content):
        raise ValueError(f"{path} is not a PNG, JPEG or GIF of at most {MAX_LOGO_BYTES // 1000} kB")
    return path


def _folder(path: Path | None) -> Path | None:
    try:
        if path is not None and not path.is_dir():
            raise ValueError(f"there is no folder {path}")
    except OSError as fault:
        raise ValueError(f"cannot look into {path}: {fault.strerror}") from None
    return path


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("is not a name on one line")
    return text.strip()


Whole = Annotated[int, BeforeValidator(whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Origin = Annotated[str, AfterValidator(_exact_origin)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_listed_origin)], ...], AfterValidator(_at_least_one), BeforeValidator(_listed)
]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(_listed)]
ListeningAddress = Annotated[str, AfterValidator(listening_address)]
MetricsAddress = Annotated[tuple[str, int] | None, BeforeValidator(_metrics_address)]
MailHost = Annotated[str, AfterValidator(_mail_host)]
EhloName = Annotated[str, AfterValidator(greeting_name)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
Pem = Annotated[SecretStr, AfterValidator(_base64_pem)]
SealingSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
Colour = Annotated[str, AfterValidator(_colour)]
DataFolder = Annotated[Path, BeforeValidator(_path)]
Logo = Annotated[Path | None, AfterValidator(_logo), BeforeValidator(_path)]
Folder = Annotated[Path | None, AfterValidator(_folder), BeforeValidator(_path)]
OneLine = Annotated[str, AfterValidator(_one_line)]
