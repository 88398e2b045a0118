"""All settings in one frozen object, and the values that follow from them. `reading` reads them once, at the start.

Settings that the contract's original server had keep their names and meaning. All others begin with VESTIBULE_.
"""

import re
from urllib.parse import quote, urlsplit

from vestibule.crypto.relying_party import RelyingParty, is_address, origins_within
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings.addresses import greeting_name
from vestibule.settings.groups.group import Group, name_of
from vestibule.settings.groups.guessing import Guessing
from vestibule.settings.groups.keys import Secrets, SigningTokens
from vestibule.settings.groups.mail_and_look import Look, Mail
from vestibule.settings.groups.people import Registering, StayingSignedIn
from vestibule.settings.groups.serving import BehindProxy, Crowd, FrontEnds, Production
from vestibule.settings.groups.watching import History, Watching

__all__ = ["GROUPS", "Settings", "name_of"]

_DRAIN_SECONDS_IN_PRODUCTION = 5
_QUEUED_HASHES_PER_THREAD = 32  # 0.6 s of work
_DEFAULT_RSA_BITS = "3072"
_DEFAULT_FOLLOWERS = 1000  # 125 services of 8 workers take a seventh of a core (measure/speed/followers.py)
_HOST_IN_URL = re.compile(r"^https?://(.+?)(?::\d+)?$")


class Settings(
    Production,
    BehindProxy,
    FrontEnds,
    Mail,
    Look,
    Registering,
    StayingSignedIn,
    Guessing,
    Secrets,
    SigningTokens,
    Watching,
    History,
    Crowd,
):
    """Everything an operator can set. `reading.read` makes it."""

    @property
    def production(self) -> bool:
        """Return whether NODE_ENV is `production`."""
        return self.mode == "production"

    @property
    def draining_seconds(self) -> int:
        """Return how many seconds the server goes on answering after SIGTERM."""
        if self.drain_seconds is None:
            return _DRAIN_SECONDS_IN_PRODUCTION if self.production else 0
        return self.drain_seconds

    def followers_within(self, connections: int) -> int:
        """Return how many services may follow a process that takes this many connections: by default at most half as
        many.
        """
        default = min(_DEFAULT_FOLLOWERS, max(connections // 2, 1))
        return default if self.feed_followers is None else self.feed_followers

    @property
    def database_address(self) -> str:
        """Return the URL of the database; by default of the SQLite file in the data folder."""
        path = quote(str(self.data.absolute() / "vestibule.sqlite3"))  # ? and % have a meaning in a URL
        return self.database_url.get_secret_value() or f"sqlite:///{path}"

    @property
    def embedded(self) -> bool:
        """Return whether the database is a SQLite file, which the server itself migrates and makes a secret for."""
        return self.database_address.startswith("sqlite")

    @property
    def own_base(self) -> str:
        """Return the URL of this server's own pages."""
        return self.url or f"http://localhost:{self.port}"

    @property
    def passkeys_missing(self) -> str:
        """Return why there are no passkeys here; empty if there are."""
        own = urlsplit(self.own_base)
        host = own.hostname or ""
        if is_address(host):
            return f"browsers make passkeys for names only, and {host} is an IP address"
        if own.scheme == "http" and not is_this_machine(host):
            return f"browsers make passkeys over https only, and this server is {self.own_base}"
        return ""

    @property
    def relying_party(self) -> RelyingParty | None:
        """Return the relying party that passkeys are made for; None if they cannot be made here."""
        if self.passkeys_missing:
            return None
        domain = self.passkey_domain or urlsplit(self.own_base).hostname or ""
        return RelyingParty(domain, self.product_name, origins_within(domain, (self.own_base, *self.front_ends)))

    @property
    def link_base(self) -> str:
        """Return the URL that mailed links begin with. Mail programs open web pages, so origins of apps are skipped."""
        if "origins" not in self.model_fields_set:
            return self.own_base
        web_origins = (origin for origin in self.origins if origin.startswith(("http://", "https://")))
        return next(web_origins, self.own_base)

    @property
    def ehlo(self) -> str:
        """Return the name for EHLO (RFC 5321, section 4.1.1.1): a host name, or an address in brackets. Empty: use this
        machine's name.
        """
        host = urlsplit(self.url).hostname or ""
        return self.email_ehlo or greeting_name("" if is_this_machine(host) else host)

    @property
    def front_ends(self) -> tuple[str, ...]:
        """Return the origins that may call with credentials. The default origin is trusted in development only."""
        return () if self.production and "origins" not in self.model_fields_set else self.origins

    @property
    def hosts(self) -> frozenset[str]:
        """Return the host names that the server accepts; empty means any."""
        own = (_HOST_IN_URL.sub(r"\1", self.url),) if self.production else ()
        return frozenset(self.allowed_hosts or own)

    @property
    def keys_are_given(self) -> bool:
        """Return whether the JWT_… settings contain the signing keys."""
        return bool(self.jwt_access_private.get_secret_value())

    @property
    def hash_queue(self) -> int:
        """Return how many passwords may wait to be hashed."""
        return _QUEUED_HASHES_PER_THREAD * self.hash_threads

    @property
    def signing_algorithm(self) -> str:
        """Return the algorithm of access keys made here (RFC 7518, section 3.1)."""
        return self.signing.partition("-")[0]

    @property
    def signing_key_bits(self) -> int:
        """Return the size of RSA keys made here, in bits."""
        return int(self.signing.partition("-")[2] or _DEFAULT_RSA_BITS)


GROUPS: tuple[type[Group], ...] = tuple(base for base in Settings.__bases__ if issubclass(base, Group))
"""The groups, in the order of docs/settings.md."""
