"""Tell whether a host name or address is this machine: what is sent there never leaves it (RFC 6761, section 6.3)."""

import re

LOCALHOST = frozenset({"localhost", "127.0.0.1", "::1"})
"""The name `localhost` and the addresses that it stands for."""
_LOOPBACK = re.compile(r"(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|::1|(?:0{1,4}:){7}0{0,3}1", re.IGNORECASE)


def is_this_machine(host: str) -> bool:
    """Return whether `host` is a name or an address of the loopback interface, which browsers trust without TLS (Secure
    Contexts, section 3.1). An IPv6 address has no brackets here.
    """
    return _LOOPBACK.fullmatch(host) is not None
