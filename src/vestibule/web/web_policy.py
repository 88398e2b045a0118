"""The settings about HTTP, which `app` reads from the environment for `web`."""

from dataclasses import dataclass

from vestibule.web.client_address import Network, ProxyHeader


@dataclass(frozen=True)
class WebPolicy:
    """The settings about HTTP.

    `origins` may call with credentials. `secure_cookies`: cookies are `Secure`, because browsers reach the server over
    TLS; false in development. `interactive_docs` also adds the preview of emails. `proxies` are the trusted
    ones, which name the client in `proxy_header`. `hosts` are the server's names; empty means any. `cookie_prefix`
    begins the names of the tokens' cookies.
    """

    origins: frozenset[str]
    secure_cookies: bool
    interactive_docs: bool
    proxies: tuple[Network, ...] = ()
    proxy_header: ProxyHeader = "x-forwarded-for"
    hosts: frozenset[str] = frozenset()
    cookie_prefix: str = ""
