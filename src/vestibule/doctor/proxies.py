"""Check whether visitors can be told apart behind the proxy: which proxies are trusted, and whom they name."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from vestibule.model.events import EventKind
from vestibule.model.findings import Finding, fine, warning
from vestibule.model.limits import usual_form
from vestibule.settings.fields import Settings
from vestibule.web.client_address import is_listed

SUBJECT = "proxies"
_FEW_SIGN_INS = 20
_WIDEST = {4: 8, 6: 20}  # prefix lengths: the largest networks that registries assign
_ALL_FOR_ONE = (
    "Device lists, letters and events show the proxy's address instead of the visitor's, and all visitors share the "
    "limits of one network."
)


def look(chosen: Settings) -> list[Finding]:
    """Return findings about VESTIBULE_TRUSTED_PROXIES."""
    if chosen.trusted_proxies:
        named = ", ".join(map(str, chosen.trusted_proxies))
        return [*_too_many(chosen)] or [fine(SUBJECT, f"trusted: {named}, by {chosen.proxy_header}")]
    if not chosen.production:
        return [fine(SUBJECT, "none is trusted; the address that connects counts as the visitor's")]
    remedy = "VESTIBULE_TRUSTED_PROXIES=127.0.0.1, or the address from which your proxy connects"
    return [warning(SUBJECT, "VESTIBULE_TRUSTED_PROXIES is not set, so no proxy is trusted", _ALL_FOR_ONE, remedy)]


def believed_of_all(chosen: Settings) -> Iterator[Finding]:
    """Yield trusted proxies that are whole parts of the internet, which no provider of proxies has."""
    for network in chosen.trusted_proxies:
        if network.prefixlen < _WIDEST[network.version] and not network.is_private:
            yield _believed(network)


def _too_many(chosen: Settings) -> Iterator[Finding]:
    for network in chosen.trusted_proxies:
        if network.num_addresses > 1 and not network.is_private:
            yield _believed(network)


def _believed(network: IPv4Network | IPv6Network) -> Finding:
    return warning(
        SUBJECT,
        f"every machine in {network} is trusted as a proxy",
        "Anybody who connects from there chooses the address that limits count and people see.",
        "VESTIBULE_TRUSTED_PROXIES with the proxies' own addresses, and nobody else's",
    )


async def seen(chosen: Settings, connection: AsyncConnection) -> list[Finding]:
    """Return a warning if all recent sign-ins came from one private address, which is then the proxy."""
    rows = await connection.execute(
        text("SELECT network_address FROM events WHERE kind = :kind ORDER BY sequence DESC LIMIT :few"),
        {"kind": EventKind.SIGNED_IN.value, "few": _FEW_SIGN_INS},
    )
    addresses = [usual_form(row[0] or "") for row in rows]
    if not chosen.production or len(addresses) < _FEW_SIGN_INS or len(set(addresses)) > 1 or not _own(addresses[0]):
        return []
    what = f"the last {_FEW_SIGN_INS} sign-ins all came from {addresses[0]}"
    return [warning(SUBJECT, what, _ALL_FOR_ONE, _remedy(chosen, addresses[0]))]


def _own(address: str) -> bool:
    return bool(address) and ip_address(address).is_private


def _remedy(chosen: Settings, address: str) -> str:
    if is_listed(address, chosen.trusted_proxies):
        return f"let the proxy at {address} set {chosen.proxy_header}, or name in VESTIBULE_PROXY_HEADER what it sets"
    return f"VESTIBULE_TRUSTED_PROXIES={address}, if that is your proxy"
