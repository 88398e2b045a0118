"""Settings about the server itself: where it listens, which proxies and front-ends it trusts, and its capacity."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, SecretStr

from vestibule.settings.addresses import Hosts, ListeningAddress, Networks, Origin, Origins, PasskeyDomain
from vestibule.settings.groups.group import Group, lower, setting
from vestibule.settings.types import DataFolder, Whole


class Production(Group):
    """Read this before anybody else can reach the server."""

    title: ClassVar[str] = "Run it in production"

    mode: Literal["development", "production"] = setting(
        "NODE_ENV",
        "development",
        "`production` sets `Secure` on cookies, hides the interactive documentation, writes no mailed links to the "
        "log, and makes each line of it JSON.",
    )
    url: Origin = setting(
        "VESTIBULE_URL",
        "",
        "Public address of this server. Needed in production. Mailed links lead there, unless ORIGIN is set.",
        takes="an address without a path, such as `https://auth.example.com`",
        unset="`http://localhost` with the port",
    )
    passkey_domain: PasskeyDomain = setting(
        "VESTIBULE_PASSKEY_DOMAIN",
        "",
        "Domain that passkeys are made for (the RP ID). They can be used on that host and those below it, and nowhere "
        "else, so it cannot be changed while there are any. Name the domain above if front-ends on other hosts of it "
        "ask for passkeys too.",
        takes="the host of VESTIBULE_URL, or a domain above it, such as `example.com`",
        unset="the host of VESTIBULE_URL; no passkeys if that is an IP address",
    )
    host: ListeningAddress = setting(
        "VESTIBULE_HOST",
        "127.0.0.1",
        "Network address to listen on; `0.0.0.0` for all of IPv4.",
        takes="an IPv4 or IPv6 address, or a host name",
    )
    port: Whole = setting(
        "PORT",
        8000,
        "Port to listen on. `0`: any free port; the server prints which.",
        ge=0,
        le=65535,
    )
    data: DataFolder = setting(
        "VESTIBULE_DATA",
        Path("vestibule-data"),
        "Folder for the SQLite file, the file `secret.key`, and, without EMAIL_HOST, emails.",
        takes="a folder; created if it does not exist",
    )
    database_url: SecretStr = setting(
        "DATABASE_URL",
        SecretStr(""),
        "The database. Percent-encode special characters (`%3F` for `?`). PostgreSQL needs VESTIBULE_SECRET_KEY as "
        "well.",
        takes="`postgresql://user:password@host:5432/name` or `sqlite:///path`",
        unset="a SQLite file in VESTIBULE_DATA",
    )
    redis_url: SecretStr = setting(
        "REDIS_URL",
        SecretStr(""),
        "Redis, which several processes share for rate limits and a copy of sessions. It holds only what may be lost.",
        takes="`redis://host:6379/0`, or for Sentinel `redis+sentinel://host:26379,host:26379/name/0`",
        unset="each process counts for itself",
    )
    drain_seconds: Whole | None = setting(
        "VESTIBULE_DRAIN_SECONDS",
        None,
        "Seconds for which the server goes on answering after SIGTERM, while it says that it is not ready and closes "
        "each connection with its next answer. Longer than the load balancer takes to notice.",
        unset="`5` in production, otherwise `0`",
        ge=0,
        le=300,
    )


class BehindProxy(Group):
    """Read this when nginx, Caddy, Traefik or a load balancer stands in front of the server."""

    title: ClassVar[str] = "Put a proxy in front"

    trusted_proxies: Networks = setting(
        "VESTIBULE_TRUSTED_PROXIES",
        (),
        "Your own proxies. Only from them is a header with the client's network address believed.",
        takes="addresses and networks, separated by commas, such as `10.0.0.0/8,192.0.2.1`",
        unset="nobody is believed",
    )
    proxy_header: Annotated[Literal["x-forwarded-for", "forwarded"], BeforeValidator(lower)] = setting(
        "VESTIBULE_PROXY_HEADER",
        "x-forwarded-for",
        "Header in which your proxies name the client. The other one is not read.",
    )
    allowed_hosts: Hosts = setting(
        "VESTIBULE_ALLOWED_HOSTS",
        (),
        "Host names under which the server answers; a request with another `Host` is answered 421. `localhost` always "
        "works.",
        takes="host names without ports, separated by commas",
        unset="in production the host of VESTIBULE_URL, otherwise any",
    )


class FrontEnds(Group):
    """Read this when a web application or an app of yours calls the server from a browser."""

    title: ClassVar[str] = "Let front-ends in"

    origins: Origins = setting(
        "ORIGIN",
        ("http://localhost:3000",),
        "Origins that may call with credentials. Links in emails lead to the first web origin, which needs the pages "
        "`/verifyemail/{code}`, `/resetpassword/{token}` and `/forgotpassword`; name VESTIBULE_URL first to use "
        "Vestibule's own. Links that confirm or undo a change of email always lead to Vestibule. Unset: links lead to "
        "Vestibule's own pages, and in production no front-end may call. Plain HTTP is refused in production, except "
        "for localhost.",
        takes="origins, separated by commas, also of apps, such as `capacitor://localhost`",
    )
    cookie_prefix: Literal["", "__Host-"] = setting(
        "VESTIBULE_COOKIE_PREFIX",
        "",
        "`__Host-` begins the names of the two HttpOnly cookies, so that no other host of the domain can plant one. "
        "Only in production, and with front-ends that do not look for the contract's names.",
        unset="the contract's names",
    )


class Crowd(Group):
    """Read this when one process has to serve more people, or use less memory."""

    title: ClassVar[str] = "Serve more people"

    database_pool: Whole = setting(
        "VESTIBULE_DATABASE_POOL", 10, "Connections to PostgreSQL for each process.", ge=2, le=100
    )
    hash_threads: Whole = setting(
        "VESTIBULE_HASH_THREADS",
        2,
        "Passwords that each process hashes at once, in 19 MiB of memory each. 32 more wait for each thread; beyond "
        "that, 503.",
        ge=1,
        le=64,
    )
    connections: Whole = setting(
        "VESTIBULE_CONNECTIONS",
        8192,
        "Connections that each process takes at once, as far as the limit for open files allows. One network may have "
        "a quarter of them, trusted proxies any number. When three quarters are in use, idle ones are closed.",
        ge=256,
        le=100_000,
    )
    feed_followers: Whole | None = setting(
        "VESTIBULE_FEED_FOLLOWERS",
        None,
        "Services that may follow the feed of revocations at each process; beyond that, 503. Each worker process of a "
        "service is one, and takes 45 kB and 0.015 % of a core. At most half of VESTIBULE_CONNECTIONS.",
        unset="`1000`, or half of the connections if those are fewer",
        ge=1,
        le=10_000,
    )
    revocation_staleness_seconds: Whole = setting(
        "VESTIBULE_REVOCATION_STALENESS_SECONDS",
        5,
        "After this many seconds without news of log-outs, a process asks the database on every request, and answers "
        "503 if it cannot.",
        ge=2,
        le=60,
    )
