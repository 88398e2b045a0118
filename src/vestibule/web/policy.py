"""What an operator may choose about the HTTP face."""

from dataclasses import dataclass

from vestibule.web.client_address import Network, ProxyHeader


@dataclass(frozen=True)
class WebPolicy:
    """Which front-ends may call with credentials, and how careful to be about transport and documentation; which
    proxies are believed, and by which header; under which names the server may be asked (none: any), and what the
    HttpOnly cookies' names begin with.
    """

    origins: frozenset[str]
    secure_cookies: bool
    interactive_docs: bool
    proxies: tuple[Network, ...] = ()
    proxy_header: ProxyHeader = "x-forwarded-for"
    hosts: frozenset[str] = frozenset()
    cookie_prefix: str = ""
