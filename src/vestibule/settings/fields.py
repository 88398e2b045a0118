"""Settings: every name, its default, its unit and its reason. Read once at the start, frozen, handed down.

Names the tutorial's server had keep their meaning; every other begins with VESTIBULE_. The page
`docs/settings.md` is made from this file.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

from vestibule.settings import unsafe
from vestibule.settings.types import (
    Colour,
    DataFolder,
    EhloName,
    Folder,
    Hosts,
    ListeningAddress,
    Logo,
    MailHost,
    Networks,
    OneLine,
    Origin,
    Origins,
    Pem,
    SealingSecret,
    Switch,
    Whole,
    greeting_name,
    whole,
)

_DRAIN_SECONDS_IN_PRODUCTION = 5
_A_CENTURY = 36500 * 86400  # and no later: years end at 9999
_HOST_IN_URL = re.compile(r"^https?://(.+?)(?::\d+)?$")


def _setting(name: str, default: Any, why: str, **rules: Any) -> Any:
    return Field(default, validation_alias=name, description=why, **rules)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


class Settings(BaseModel):
    """Everything an operator can choose. Construct with `reading.read`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    # Where it runs
    mode: Literal["development", "production"] = _setting(
        "NODE_ENV",
        "development",
        "`production` sets `Secure` on cookies, hides the interactive documentation and logs no letters.",
    )
    host: ListeningAddress = _setting(
        "VESTIBULE_HOST", "127.0.0.1", "Address to listen on: of IPv4 or IPv6, or a name; `0.0.0.0` for all of them."
    )
    port: Whole = _setting("PORT", 8000, "Port to listen on; 0: any, which the start tells.", ge=0, le=65535)
    data: DataFolder = _setting(
        "VESTIBULE_DATA", Path("vestibule-data"), "Folder for the SQLite file, the secret key and unsent mail."
    )
    origins: Origins = _setting(
        "ORIGIN",
        ("http://localhost:3000",),
        "Origins of the front-ends, separated by commas. They may call with credentials, nobody else may; "
        "mailed links lead to the first one of the web. Those of apps, such as `capacitor://localhost`, may be among "
        "them. Unset: they lead to Vestibule's own pages, and in production only these "
        "may call. Plain HTTP is refused in production, but for localhost.",
    )
    url: Origin = _setting(
        "VESTIBULE_URL",
        "",
        "Where this server is reached from outside, such as `https://auth.example.com`. Mailed links lead there. "
        "Needed in production; otherwise `http://localhost` with the port.",
    )

    drain_seconds: Whole | None = _setting(
        "VESTIBULE_DRAIN_SECONDS",
        None,
        "At SIGTERM the server says that it is not ready, closes each connection with its next answer, and goes on "
        "answering for so long, in seconds, before it stops: longer than the balancer takes to notice. Unset: 5 in "
        "production, otherwise 0.",
        ge=0,
        le=300,
    )
    trusted_proxies: Networks = _setting(
        "VESTIBULE_TRUSTED_PROXIES",
        (),
        "Addresses and networks of your own proxies, separated by commas, such as `10.0.0.0/8,192.0.2.1`. Only they "
        "are believed about which client they serve; unset, nobody is.",
    )
    proxy_header: Annotated[Literal["x-forwarded-for", "forwarded"], BeforeValidator(_lower)] = _setting(
        "VESTIBULE_PROXY_HEADER", "x-forwarded-for", "The header in which they say it; the other one is not read."
    )
    allowed_hosts: Hosts = _setting(
        "VESTIBULE_ALLOWED_HOSTS",
        (),
        "Names under which the server may be asked, separated by commas, without ports; a request with another `Host` "
        "is answered 421. Unset: in production that of VESTIBULE_URL, otherwise any. `localhost` always may.",
    )
    cookie_prefix: Literal["", "__Host-"] = _setting(
        "VESTIBULE_COOKIE_PREFIX",
        "",
        "`__Host-`: begins the names of the two HttpOnly cookies, so that no other host of the domain can plant one. "
        "Only in production, and with front-ends that do not look for the contract's names.",
    )

    # Where things are kept
    database_url: SecretStr = _setting(
        "DATABASE_URL",
        SecretStr(""),
        "`postgresql://user:password@host:5432/name`, or `sqlite:///path`, with `%` in front of what an address has "
        "signs for (`%3F` for `?`). Unset: a SQLite file in VESTIBULE_DATA.",
    )
    database_pool: Whole = _setting(
        "VESTIBULE_DATABASE_POOL", 10, "Connections to PostgreSQL for each process.", ge=2, le=100
    )
    redis_url: SecretStr = _setting(
        "REDIS_URL",
        SecretStr(""),
        "`redis://host:6379/0`; behind Sentinel `redis+sentinel://host:26379,host:26379/name/0`. Holds only what may "
        "be lost; unset, the process keeps that itself.",
    )

    # Keys and tokens
    jwt_access_private: Pem = _setting(
        "JWT_ACCESS_TOKEN_PRIVATE_KEY",
        SecretStr(""),
        "Private RSA key for access tokens: a PEM, base64 as a whole. All four JWT_… settings, or none: then the keys "
        "are made at the first start and kept in the database, sealed under VESTIBULE_SECRET_KEY.",
    )
    jwt_access_public: Pem = _setting("JWT_ACCESS_TOKEN_PUBLIC_KEY", SecretStr(""), "Its public half, likewise.")
    jwt_refresh_private: Pem = _setting(
        "JWT_REFRESH_TOKEN_PRIVATE_KEY", SecretStr(""), "Private RSA key for refresh tokens, likewise; another one."
    )
    jwt_refresh_public: Pem = _setting("JWT_REFRESH_TOKEN_PUBLIC_KEY", SecretStr(""), "Its public half, likewise.")
    secret_key: SealingSecret = _setting(
        "VESTIBULE_SECRET_KEY",
        SecretStr(""),
        "What private keys in the database are sealed under. Unset: in the file `secret.key` of VESTIBULE_DATA, which "
        "`vestibule serve` makes at its first start where the database is a SQLite file; with PostgreSQL it has to be "
        "set, on every machine the same.",
    )
    secret_key_old: SealingSecret = _setting(
        "VESTIBULE_SECRET_KEY_OLD",
        SecretStr(""),
        "The secret before it, while it is being exchanged: opens what is still sealed under that, until "
        "`vestibule keys reencrypt` has been run.",
    )
    published_keys_seconds: Whole = _setting(
        "VESTIBULE_JWKS_SECONDS",
        300,
        "How long services may keep the published keys before they ask again, in seconds. A new key signs no earlier.",
        ge=1,
        le=86400,
    )
    signing_algorithm: Literal["RS256", "ES256", "EdDSA"] = _setting(
        "VESTIBULE_SIGNING_ALGORITHM",
        "RS256",
        "What keys made from now on sign with: `RS256` as the contract has it, `ES256` (ECDSA on P-256) or `EdDSA` "
        "(Ed25519). Keys that are there stay as they are: after a change, `vestibule keys rotate` twice for each use.",
    )
    signing_key_bits: Annotated[Literal[2048, 3072, 4096], BeforeValidator(whole)] = _setting(
        "VESTIBULE_SIGNING_KEY_BITS", 3072, "Size in bits of RSA keys made here."
    )
    issuer: OneLine = _setting("VESTIBULE_ISSUER", "vestibule", "`iss` of every token.")
    audience: OneLine = _setting("VESTIBULE_AUDIENCE", "vestibule", "`aud` of access tokens.")
    access_token_seconds: Whole = _setting(
        "VESTIBULE_ACCESS_TOKEN_SECONDS", 900, "Life of an access token, in seconds.", ge=30, le=3600
    )
    clock_leeway_seconds: Whole = _setting(
        "VESTIBULE_CLOCK_LEEWAY_SECONDS", 30, "How far two machines' clocks may disagree, in seconds.", ge=0, le=60
    )

    revocation_staleness_seconds: Whole = _setting(
        "VESTIBULE_REVOCATION_STALENESS_SECONDS",
        5,
        "A process that could not read the record of log-outs for this long asks the database on every request, "
        "and answers 503 when it cannot, in seconds.",
        ge=2,
        le=60,
    )
    remembered_tokens: Whole = _setting(
        "VESTIBULE_REMEMBERED_TOKENS",
        50_000,
        "Access tokens each process remembers; about 1.5 kB each.",
        ge=100,
        le=10_000_000,
    )

    feed_followers: Whole = _setting(
        "VESTIBULE_FEED_FOLLOWERS",
        100,
        "Services that may follow the feed of revocations at each process; beyond it, 503. At most half of "
        "VESTIBULE_CONNECTIONS.",
        ge=1,
        le=10_000,
    )
    connections: Whole = _setting(
        "VESTIBULE_CONNECTIONS",
        8192,
        "Connections that each process takes at once, as far as the system's limit for open files allows. One network "
        "may have a quarter of them before those answered nothing for longest are ended, listed proxies any number; "
        "when three quarters are taken, those of all networks are.",
        ge=256,
        le=100_000,
    )

    # Sessions
    session_idle_seconds: Whole = _setting(
        "VESTIBULE_SESSION_IDLE_SECONDS",
        3600,
        "A session that is not refreshed for this long ends, in seconds; also the life of a refresh token.",
        ge=60,
        le=_A_CENTURY,
    )
    session_seconds: Whole = _setting(
        "VESTIBULE_SESSION_SECONDS",
        30 * 86400,
        "A session ends after this long whatever is done, in seconds.",
        ge=60,
        le=_A_CENTURY,
    )
    sessions_per_account: Whole = _setting(
        "VESTIBULE_SESSIONS_PER_ACCOUNT",
        100,
        "Sessions that one account may have at once. One more sign-in ends the session that was unused for longest.",
        ge=1,
        le=1000,
    )
    refresh_rotation: Switch = _setting(
        "VESTIBULE_REFRESH_ROTATION",
        True,
        "Each refresh gives a new refresh token. `off`: the same one for the life of the session, which then does not "
        "move its idle end.",
    )
    refresh_grace_seconds: Whole = _setting(
        "VESTIBULE_REFRESH_GRACE_SECONDS",
        10,
        "A refresh token that was just exchanged gives the same successor again for this long, in seconds, so that "
        "tabs may race.",
        ge=0,
        le=60,
    )

    reauthentication_seconds: Whole = _setting(
        "VESTIBULE_REAUTHENTICATION_SECONDS",
        900,
        "Signing other devices out needs a sign-in at most this long ago, in seconds; `0`: any will do. What changes a "
        "password or an email asks for the current password in any case.",
        ge=0,
        le=86400,
    )

    # Accounts and passwords
    email_verification: Literal["optional", "mandatory"] = _setting(
        "VESTIBULE_EMAIL_VERIFICATION", "optional", "`mandatory`: nobody signs in before the email is verified."
    )
    conceal_accounts: Switch | None = _setting(
        "VESTIBULE_CONCEAL_ACCOUNTS",
        None,
        "`on`: registering a taken email is answered like any other, and its owner is told by mail; signing in to "
        "an email that is still to be verified is answered like a wrong password. Needs "
        "`VESTIBULE_EMAIL_VERIFICATION=mandatory`, and unset it is on with it; otherwise the contract's 409 and 401.",
    )
    password_min_length: Whole = _setting(
        "VESTIBULE_PASSWORD_MIN_LENGTH", 8, "Shortest password, in characters; 15 is the hardened choice.", ge=8, le=64
    )
    password_max_length: Whole = _setting(
        "VESTIBULE_PASSWORD_MAX_LENGTH", 128, "Longest password, in characters.", ge=32, le=256
    )
    password_blocklist: Switch | None = _setting(
        "VESTIBULE_PASSWORD_BLOCKLIST",
        None,
        "Refuses new passwords that are among the 30,000 commonest, or little more than the account's email or the "
        "product's name. Unset: on in production.",
    )
    password_hash: Literal["argon2id", "bcrypt"] = _setting(
        "VESTIBULE_PASSWORD_HASH",
        "argon2id",
        "`bcrypt` (cost 12) only where another program must read new hashes; passwords then end at 72 bytes.",
    )
    hash_threads: Whole = _setting(
        "VESTIBULE_HASH_THREADS", 2, "Passwords hashed at once in each process; 19 MiB of memory each.", ge=1, le=64
    )
    hash_queue: Whole = _setting(
        "VESTIBULE_HASH_QUEUE", 64, "Passwords that may wait to be hashed behind them; beyond it, 503.", ge=1, le=10000
    )
    pepper: SealingSecret = _setting(
        "VESTIBULE_PEPPER",
        SecretStr(""),
        "A secret kept outside the database, without which stolen hashes say nothing about passwords. Hashes that "
        "have none are made anew at the next sign-in. Losing it loses every password: keep a copy.",
    )
    pepper_old: SealingSecret = _setting(
        "VESTIBULE_PEPPER_OLD",
        SecretStr(""),
        "The one before, for hashes that have not been made anew since: keep it until everybody has signed in.",
    )

    # Limits
    password_failures: Whole = _setting(
        "VESTIBULE_PASSWORD_FAILURES",
        50,
        "Wrong passwords in a row after which no more are checked until the password is reset by mail: so many from "
        "all others, wherever they are, and so many from known devices, which have signed in to the account before: "
        "five or more for each, then it counts as one of the others.",
        ge=3,
        le=50,
    )
    password_failures_free: Whole = _setting(
        "VESTIBULE_PASSWORD_FAILURES_FREE",
        20,
        "So many of them cost nothing. Each further one makes the next wait: 1 s, 2 s, 4 s …",
        ge=1,
        le=50,
    )
    password_wait_seconds: Whole = _setting(
        "VESTIBULE_PASSWORD_WAIT_SECONDS", 900, "The longest such wait, in seconds.", ge=1, le=86400
    )

    sign_ins_per_network: Whole = _setting(
        "VESTIBULE_SIGN_INS_PER_NETWORK",
        300,
        "Sign-ins, changes of a password or an email, right or wrong, that one network may try in a minute. A "
        "network is an IPv4 address or the /64 of an IPv6 address: an office behind one router is one. Likewise below.",
        ge=1,
        le=1_000_000,
    )
    registrations_per_network: Whole = _setting(
        "VESTIBULE_REGISTRATIONS_PER_NETWORK", 60, "Registrations in a minute.", ge=1, le=1_000_000
    )
    mail_per_network: Whole = _setting(
        "VESTIBULE_MAIL_REQUESTS_PER_NETWORK",
        120,
        "Requests for letters and uses of mailed links in a minute. How many letters leave is limited apart.",
        ge=1,
        le=1_000_000,
    )
    refreshes_per_network: Whole = _setting(
        "VESTIBULE_REFRESHES_PER_NETWORK", 1200, "Refreshes in a minute.", ge=1, le=1_000_000
    )
    account_per_network: Whole = _setting(
        "VESTIBULE_ACCOUNT_REQUESTS_PER_NETWORK",
        600,
        "Log-outs, and looks at and ends of one's sessions, in a minute.",
        ge=1,
        le=1_000_000,
    )

    # Mail
    email_host: MailHost = _setting(
        "EMAIL_HOST", "", "SMTP server. Unset: letters go to a folder in VESTIBULE_DATA, and in development to the log."
    )
    email_port: Whole = _setting("EMAIL_PORT", 587, "Its port.", ge=1, le=65535)
    email_user: OneLine = _setting("EMAIL_USER", "", "User name there, where it wants one.")
    email_pass: SecretStr = _setting("EMAIL_PASS", SecretStr(""), "Password there.")
    email_security: Literal["auto", "tls", "starttls", "none"] = _setting(
        "VESTIBULE_EMAIL_SECURITY",
        "auto",
        "`tls` from the first byte, `starttls`, or `none`. `auto`: `tls` on port 465, otherwise `starttls`, which may "
        "be missing only where no password would be sent.",
    )
    email_ehlo: EhloName = _setting(
        "VESTIBULE_EMAIL_EHLO",
        "",
        "Name by which Vestibule greets the mail server (EHLO), such as `auth.example.com`; strict ones refuse "
        "`localhost`. Unset: the host of VESTIBULE_URL, or else this machine's name.",
    )
    email_from: str = _setting(
        "VESTIBULE_EMAIL_FROM",
        "no-reply@localhost",
        "Sender of every letter: an email, or `Name <email>`. Without a name, the product's.",
    )
    letters_per_email: Whole = _setting(
        "VESTIBULE_LETTERS_PER_EMAIL",
        3,
        "Letters of one kind that strangers may have sent to one email, five minutes apart; then one an hour later, "
        "and one every three hours at last. Nobody is told when one is not sent: the link in the last one works until "
        "the next may be asked for.",
        ge=1,
        le=1000,
    )
    letters_per_network: Whole = _setting(
        "VESTIBULE_LETTERS_PER_NETWORK",
        60,
        "Letters that one network address (IPv6: one /64) may ask for in an hour.",
        ge=1,
        le=100_000,
    )

    # What people see
    product_name: OneLine = _setting("VESTIBULE_PRODUCT_NAME", "Vestibule", "Your product's name.")
    product_colour: Colour = _setting("VESTIBULE_PRODUCT_COLOUR", "#2b4acb", "Colour of its buttons, as `#rrggbb`.")
    product_logo: Logo = _setting(
        "VESTIBULE_PRODUCT_LOGO", None, "Its logo: a PNG, JPEG or GIF file, shown 36 pixels high and sent with letters."
    )
    templates: Folder = _setting(
        "VESTIBULE_TEMPLATES",
        None,
        "Folder with templates of yours, `mail/` and `pages/`; what is not there is taken from Vestibule.",
    )
    language: Literal["en", "de", "fr", "es", "pt"] = _setting(
        "VESTIBULE_LANGUAGE",
        "en",
        "Language where neither account nor browser names one: en, de, fr, es or pt.",
    )

    # What is kept
    session_days: Whole = _setting(
        "VESTIBULE_SESSION_DAYS",
        90,
        "Days for which a session is kept after the last moment it could have lived to (VESTIBULE_SESSION_SECONDS), "
        "however early it ended: for the list of past devices, and to tell a device that was here before from a new "
        "one. `0`: for ever.",
        ge=0,
        le=36500,
    )
    device_days: Whole = _setting(
        "VESTIBULE_DEVICE_DAYS",
        365,
        "Days after which a device that has not signed in is new again, but for the last one of an account; so long "
        "its cookie lives, at most 400. `0`: never.",
        ge=0,
        le=36500,
    )
    letter_days: Whole = _setting(
        "VESTIBULE_LETTER_DAYS",
        30,
        "Days for which a letter that was sent, or refused for good, is kept in the outbox; `0`: for ever.",
        ge=0,
        le=36500,
    )
    unverified_days: Whole = _setting(
        "VESTIBULE_UNVERIFIED_DAYS",
        0,
        "Days after which an account is deleted whose email was never verified, if nobody ever signed in to it, it is "
        "no administrator's and it was registered here; `0`: never.",
        ge=0,
        le=36500,
    )

    # What is measured
    metrics_port: Whole | None = _setting(
        "VESTIBULE_METRICS_PORT",
        None,
        "Port on which Prometheus may ask for metrics; unset: they are not kept. Never the port of the API.",
        ge=1,
        le=65535,
    )
    metrics_host: ListeningAddress = _setting(
        "VESTIBULE_METRICS_HOST",
        "127.0.0.1",
        "Address of that port. Whoever reaches it reads the metrics, so let it be one that only Prometheus does.",
    )

    traces: Switch = _setting(
        "VESTIBULE_TRACES",
        False,
        "Tells OpenTelemetry what each request waited for. Needs `pip install '.[server,traces]'` in a clone; where to "
        "is said by `OTEL_EXPORTER_OTLP_ENDPOINT` and OpenTelemetry's other variables.",
    )

    # Logs and events
    event_days: Whole = _setting(
        "VESTIBULE_EVENT_DAYS",
        365,
        "Days for which what happened is kept in the table of events; `0`: for ever.",
        ge=0,
        le=36500,
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "VESTIBULE_LOG_LEVEL", "info", "Least important lines to write."
    )
    log_addresses: Literal["full", "masked"] = _setting(
        "VESTIBULE_LOG_ADDRESSES",
        "full",
        "`masked`: lines of the log have the network of a client (/24, for IPv6 /48) in place of its address, and "
        "`a***@example.com` in place of an email. The table of events keeps them for the account's owner.",
    )

    @property
    def production(self) -> bool:
        return self.mode == "production"

    @property
    def leaving_seconds(self) -> int:
        """For how long the server goes on answering once it was told to stop."""
        if self.drain_seconds is None:
            return _DRAIN_SECONDS_IN_PRODUCTION if self.production else 0
        return self.drain_seconds

    @property
    def database_address(self) -> str:
        """Where the database is, the embedded default included."""
        embedded = quote(str(self.data.absolute() / "vestibule.sqlite3"))  # an address, in which ? and % mean something
        return self.database_url.get_secret_value() or f"sqlite:///{embedded}"

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine's, which nobody else looks after."""
        return self.database_address.startswith("sqlite")

    @property
    def own_base(self) -> str:
        """Where this server's own pages are."""
        return self.url or f"http://localhost:{self.port}"

    @property
    def link_base(self) -> str:
        """Where mailed links lead: a mail program opens no page of an app."""
        of_the_web = (origin for origin in self.origins if origin.startswith(("http://", "https://")))
        return next(of_the_web, self.own_base) if "origins" in self.model_fields_set else self.own_base

    @property
    def ehlo(self) -> str:
        """How the mail server is greeted (RFC 5321, section 4.1.1.1): a name, or an address in brackets; empty: as
        this machine is called.
        """
        host = "" if unsafe.is_local(urlsplit(self.url).hostname or "") else urlsplit(self.url).hostname or ""
        return self.email_ehlo or greeting_name(host)

    @property
    def front_ends(self) -> tuple[str, ...]:
        """The origins that may call with credentials. One that nobody has set is trusted in development only."""
        return () if self.production and "origins" not in self.model_fields_set else self.origins

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the server may be asked; none: any."""
        own = (_HOST_IN_URL.sub(r"\1", self.url),) if self.production else ()
        return frozenset(self.allowed_hosts or own)

    @property
    def refuses_common(self) -> bool:
        return self.production if self.password_blocklist is None else self.password_blocklist

    @property
    def keys_are_given(self) -> bool:
        return bool(self.jwt_access_private.get_secret_value())


def name_of(field: FieldInfo) -> str:
    """The name under which a setting is looked up in the environment."""
    return str(field.validation_alias)
