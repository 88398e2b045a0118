"""Types of settings for addresses, hosts, origins and networks. `types` has the other types."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from vestibule.crypto.relying_party import is_address
from vestibule.settings.types import listed, shown

_ORIGIN = re.compile(r"(?i:https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_APP_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_APP_HOST = re.compile(r"[a-z0-9._-]+(:\d{1,5})?")
# Not for apps: in browsers these schemes have a meaning of their own, or no origin.
_SCHEMES_NOT_FOR_APPS = {"http", "https", "ws", "wss", "ftp", "file", "data", "blob", "about", "javascript", "null"}
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]")
# The system reads a name that ends in a number as an IPv4 address: `0` is 0.0.0.0 (WHATWG URL, "ends in a number").
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_IPV4_MAPPED = ip_network("::ffff:0:0/96")
_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}")
_HELP_PAGE = re.compile(r"https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@/?%#-]*)?")
_PORT = re.compile(r"[0-9]{1,5}")
_HIGHEST_PORT = 65535


def _host(name: str) -> str:
    if _HOST.fullmatch(name) is None or (name.startswith("[") and not _is_ipv6(name)):
        raise ValueError(f"{shown(name)} is not a host name such as auth.example.com (no scheme, no port, no *)")
    return name.lower()


def _passkey_domain(name: str) -> str:
    """Return the domain in lower case. Raises `ValueError` if it is not a host name: there are no passkeys for an IP
    address (WebAuthn, section 5.1.2).
    """
    if is_address(name):
        raise ValueError(f"{shown(name)} is an IP address, and browsers make passkeys for names only; use a domain")
    return _host(name)


def listening_address(name: str) -> str:
    """Return an address to listen on: an IP address without brackets, or a host name. Raises `ValueError` for anything
    else.
    """
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if _is_zoneless_ip(bare):
        return bare
    if _HOST.fullmatch(name) is None or name.startswith("[") or _ENDS_IN_NUMBER.fullmatch(name):
        example = "such as 127.0.0.1, ::1 or localhost (no scheme, no port; 0.0.0.0 for all)"
        raise ValueError(f"{shown(name)} is not an address to listen on, {example}")
    return name


def _metrics_address(text: Any) -> Any:
    """Return the address and port to serve metrics on; the address is 127.0.0.1 if `text` is only a port. Raises
    `ValueError` for other text. A value that is not text is returned unchanged: the default, None.
    """
    if not isinstance(text, str):
        return text
    host, colon, port = text.rpartition(":")
    port_is_valid = _PORT.fullmatch(port) is not None and 1 <= int(port) <= _HIGHEST_PORT
    if not port_is_valid or (":" in host and not host.startswith("[")):
        what = "is not a port such as 9464, nor an address and a port such as 0.0.0.0:9464 or [::1]:9464"
        raise ValueError(f"{shown(text)} {what}")
    address = listening_address(host) if colon else "127.0.0.1"
    return address, int(port)


def _is_zoneless_ip(text: str) -> bool:
    """Return whether this is an IP address without a zone such as `%eth0`, which the server library does not know."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_ipv6(text: str) -> bool:
    return ":" in text and _is_zoneless_ip(text.strip("[]"))


def _mail_host(name: str) -> str:
    """Return the mail server's name, in upper or lower case as given. Raises `ValueError` if it is not a host name."""
    if _HOST.fullmatch(name) is None and not _is_zoneless_ip(name):
        raise ValueError(f"{shown(name)} is not a host name such as smtp.example.com (no scheme, no port)")
    return name.strip("[]")


def greeting_name(name: str) -> str:
    """Return a name for EHLO: a host name, an IP address in brackets (RFC 5321, section 4.1.3), or an empty text
    unchanged. Raises `ValueError` for anything else.
    """
    bare = name.strip("[]").removeprefix("IPv6:")
    if _is_zoneless_ip(bare):
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
        is_valid = _ORIGIN.fullmatch(origin) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port, or an invalid IPv6 address in brackets
        is_valid = False
    if not is_valid:
        rule = "no path, no / at the end, no *"
        raise ValueError(f"{shown(origin)} is not an origin such as https://app.example.com ({rule})")
    # Browsers leave the default port out.
    return origin.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])


def _listed_origin(origin: str) -> str:
    """Return the origin of a web site, or of an app that brings its own pages (`capacitor://localhost`,
    `tauri://localhost`). Raises `ValueError` for other text.
    """
    scheme, separator, host = origin.lower().partition("://")
    if (
        separator
        and scheme not in _SCHEMES_NOT_FOR_APPS
        and _APP_SCHEME.fullmatch(scheme)
        and _APP_HOST.fullmatch(host)
    ):
        return origin.lower()
    return _exact_origin(origin)


def _networks(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return tuple(_network(part) for part in listed(text))


def _network(text: str) -> IPv4Network | IPv6Network:
    """Return a network. IPv4 addresses that are written as IPv6 become IPv4 (RFC 4291, section 2.5.5.2). Raises
    `ValueError` if `text` is neither an address nor a network.
    """
    try:
        network = ip_network(text, strict=False)
        is_valid = "%" not in text
    except ValueError:
        is_valid = False
    if not is_valid:
        what = "is not an address such as 192.0.2.1, nor a network such as 10.0.0.0/8"
        raise ValueError(f"{shown(text)} {what}")
    if str(network.network_address) != str(ip_address(text.partition("/")[0])):
        raise ValueError(f"{shown(text)} is an address within a network; did you mean {network}?")
    return _unmapped(network)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return an IPv4 network if `network` is one that is written as IPv6; otherwise return it unchanged."""
    if isinstance(network, IPv4Network) or not network.subnet_of(_IPV4_MAPPED):  # type: ignore[arg-type]  # both are IPv6
        return network
    inner = IPv6Address(network.network_address).ipv4_mapped
    return ip_network(f"{inner}/{network.prefixlen - _IPV4_MAPPED.prefixlen}")


def _support(text: str) -> str:
    """Return an email or an https URL to show to people. Raises `ValueError` for other text."""
    if _EMAIL.fullmatch(text) is None and _HELP_PAGE.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is neither an email such as help@example.com nor an https:// URL")
    return text


Origin = Annotated[str, AfterValidator(_exact_origin)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_listed_origin)], ...], AfterValidator(_at_least_one), BeforeValidator(listed)
]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(listed)]
PasskeyDomain = Annotated[str, AfterValidator(_passkey_domain)]
ListeningAddress = Annotated[str, AfterValidator(listening_address)]
MetricsAddress = Annotated[tuple[str, int] | None, BeforeValidator(_metrics_address)]
MailHost = Annotated[str, AfterValidator(_mail_host)]
Support = Annotated[str, AfterValidator(_support)]
EhloName = Annotated[str, AfterValidator(greeting_name)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
