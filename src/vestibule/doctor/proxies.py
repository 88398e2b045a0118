"""Check whether clients can be told apart behind the proxy: which proxies are trusted, and what they report."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.events import EventKind
from vestibule.model.findings import Finding, fine, warning
from vestibule.model.limits import canonical_address
from vestibule.settings.fields import Settings
from vestibule.web.client_address import is_listed

SUBJECT = "proxies"
_FEW_SIGN_INS = 20
_SHORTEST_PREFIX_BITS = {4: 8, 6: 20}  # by IP version: those of the largest networks that registries assign
_ALL_FOR_ONE = (
    "Device lists, emails and events show the proxy's address instead of the client's, and all clients share the "
    "limits of one network."
)


def check(settings: Settings) -> list[Finding]:
    """Return findings about VESTIBULE_TRUSTED_PROXIES."""
    if settings.trusted_proxies:
        named = ", ".join(map(str, settings.trusted_proxies))
        return [*_public_networks(settings)] or [fine(SUBJECT, f"trusted: {named}, by {settings.proxy_header}")]
    if not settings.production:
        return [fine(SUBJECT, "none is trusted; the address that connects is taken for the client's")]
    remedy = "VESTIBULE_TRUSTED_PROXIES=127.0.0.1, or the address from which your proxy connects"
    return [warning(SUBJECT, "VESTIBULE_TRUSTED_PROXIES is not set, so no proxy is trusted", _ALL_FOR_ONE, remedy)]


def trusted_too_widely(settings: Settings) -> Iterator[Finding]:
    """Yield a warning for each trusted network that is too large to be one provider's.

    `at_start` logs it at every start, so it is more lenient than the doctor, which warns of every public network.
    """
    for network in settings.trusted_proxies:
        if network.prefixlen < _SHORTEST_PREFIX_BITS[network.version] and not network.is_private:
            yield _trusted_widely(network)


def _public_networks(settings: Settings) -> Iterator[Finding]:
    """Yield a warning for each trusted network that is public."""
    for network in settings.trusted_proxies:
        if network.num_addresses > 1 and not network.is_private:
            yield _trusted_widely(network)


def _trusted_widely(network: IPv4Network | IPv6Network) -> Finding:
    return warning(
        SUBJECT,
        f"every machine in {network} is trusted as a proxy",
        "Anybody who connects from there can forge the client address that rate limits use and people are shown.",
        "VESTIBULE_TRUSTED_PROXIES with the proxies' own addresses only",
    )


async def one_address_for_all(settings: Settings, connection: AsyncConnection) -> list[Finding]:
    """Return a warning if all recent sign-ins came from one private address, which is then the proxy."""
    rows = await connection.execute(
        text("SELECT network_address FROM events WHERE kind = :kind ORDER BY sequence DESC LIMIT :few"),
        {"kind": EventKind.SIGNED_IN.value, "few": _FEW_SIGN_INS},
    )
    addresses = [canonical_address(row[0] or "") for row in rows]
    if (
        not settings.production
        or len(addresses) < _FEW_SIGN_INS
        or len(set(addresses)) > 1
        or not _is_private(addresses[0])
    ):
        return []
    what = f"the last {_FEW_SIGN_INS} sign-ins all came from {addresses[0]}"
    return [warning(SUBJECT, what, _ALL_FOR_ONE, _remedy(settings, addresses[0]))]


def _is_private(address: str) -> bool:
    return bool(address) and ip_address(address).is_private


def _remedy(settings: Settings, address: str) -> str:
    if is_listed(address, settings.trusted_proxies):
        return (
            f"let the proxy at {address} set {settings.proxy_header}, or set VESTIBULE_PROXY_HEADER to the one it sets"
        )
    return f"VESTIBULE_TRUSTED_PROXIES={address}, if that is your proxy"
