"""The seal of what pages keep in cookies: encrypted, so that nobody can read or make one."""

from starlette.requests import Request

from vestibule.crypto.seal import Seal
from vestibule.web.site import site_of


def seal_of(request: Request) -> Seal:
    """Return the seal. Its key is derived, so every process has the same one and none is stored."""
    return Seal(site_of(request).env.keys.refresh.signing.to_pem().decode())
