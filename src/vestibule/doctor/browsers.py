"""Check the URLs as browsers see them: whether cookies are stored and sent."""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings.fields import Settings

SUBJECT = "browsers"


def check(settings: Settings) -> list[Finding]:
    """Return findings about whether front-ends at ORIGIN can keep a session with the server at VESTIBULE_URL."""
    own = urlsplit(settings.own_base)
    found = list(_origin_unset(settings))
    for origin in settings.front_ends:
        if not origin.startswith(("http://", "https://")):
            found.append(_app(origin))
            continue
        found += _front_end(settings, urlsplit(origin), own)
    found += _passkeys(settings)
    pages = ", ".join(settings.front_ends) or "its own pages"
    return found or [fine(SUBJECT, f"cookies of {settings.own_base} reach it from {pages}")]


def _origin_unset(settings: Settings) -> Iterator[Finding]:
    if settings.production and "origins" not in settings.model_fields_set:
        yield hint(
            SUBJECT,
            "ORIGIN is not set, so people have only Vestibule's own pages",
            "CORS refuses a front-end of yours, and its users see a blank page.",
            "ORIGIN=https://app.example.com (scheme, host and port as the browser shows them), if there is one",
        )


def _passkeys(settings: Settings) -> Iterator[Finding]:
    """Yield a hint if there are no passkeys here, or if a front-end on this server's site cannot ask for them."""
    party = settings.relying_party
    if party is None:
        yield hint(
            SUBJECT,
            f"there are no passkeys here: {settings.passkeys_missing}",
            "People sign in by password, and cannot protect their account with a passkey.",
            "VESTIBULE_URL with a host name, and https",
        )
    elif others := [each for each in settings.front_ends if each not in party.origins and _is_own_site(settings, each)]:
        yield hint(
            SUBJECT,
            f"passkeys are made for {party.domain}, so {others[0]} cannot ask for them",
            "Browsers use a passkey on its own host and those below it. Once there are passkeys, this stays as it is.",
            f"VESTIBULE_PASSKEY_DOMAIN={_site(party.domain)}, if that front-end should use passkeys",
        )


def _is_own_site(settings: Settings, origin: str) -> bool:
    """Return whether ORIGIN is set, and the front-end belongs to the site of this server."""
    host = urlsplit(origin).hostname
    return "origins" in settings.model_fields_set and _site(host) == _site(urlsplit(settings.own_base).hostname)


def _app(origin: str) -> Finding:
    return hint(
        SUBJECT,
        f"the app at {origin} is not on this server's site",
        "Its browser or web view keeps none of this server's cookies, so a sign-in by cookie does not last.",
        "in that app, send the access token as Authorization: Bearer",
    )


def _front_end(settings: Settings, origin: SplitResult, own: SplitResult) -> Iterator[Finding]:
    origin_url = f"{origin.scheme}://{origin.netloc}"
    local = is_this_machine(origin.hostname or "")
    if local and is_this_machine(own.hostname or "") and origin.hostname != own.hostname:
        yield warning(
            SUBJECT,
            f"the front-end is at {origin_url}, the server at {settings.own_base}",
            "For a browser these are two sites, and SameSite=Lax cookies do not go from one to the other.",
            f"use the same name in both, such as ORIGIN={_at_host(origin, own.hostname or '')}",
        )
    elif local and is_this_machine(own.hostname or "") and origin.scheme != own.scheme:
        yield warning(
            SUBJECT,
            f"the front-end is at {origin_url}, the server at {settings.own_base}: one has TLS, the other not",
            "For a browser these are two sites, and SameSite=Lax cookies do not go from one to the other.",
            f"the same scheme in both, such as ORIGIN={own.scheme}://{origin.netloc}, if that is where it runs",
        )
    elif local and not is_this_machine(own.hostname or "") and "origins" in settings.model_fields_set:
        yield _app(origin_url)
    elif local or "origins" not in settings.model_fields_set:
        return  # both are on one site, or this is the default of ORIGIN
    elif origin.scheme != own.scheme:
        yield fault(
            SUBJECT,
            f"the front-end is at {origin_url}, the server at {settings.own_base}: one has TLS, the other not",
            "For a browser these are two sites, and SameSite=Lax cookies do not go from one to the other.",
            f"use https in both ORIGIN and VESTIBULE_URL: ORIGIN=https://{origin.netloc}",
        )
    elif _site(origin.hostname) != _site(own.hostname):
        yield warning(
            SUBJECT,
            f"the front-end {origin.hostname} and the server {own.hostname} seem to be different sites",
            "Cookies are SameSite=Lax: the browser does not send them with calls from another site, so every call is "
            "answered 401.",
            "put both under one domain, such as app.example.com and auth.example.com; or let the front-end's server "
            "pass a path on to Vestibule",
        )


def _at_host(origin: SplitResult, host: str) -> str:
    """Return the origin with another host: without a port if it has none, as a browser shows it."""
    name = f"[{host}]" if ":" in host else host
    return f"{origin.scheme}://{name}:{origin.port}" if origin.port else f"{origin.scheme}://{name}"


def _site(host: str | None) -> str:
    """Return the last two labels of a host name; an IP address as it is, because each is a site of its own. Browsers
    take the two labels for the site, unless they are in the Public Suffix List, such as `co.uk`. That list changes
    weekly, so it is not used here.
    """
    try:
        return str(ip_address(host or ""))
    except ValueError:
        return ".".join((host or "").split(".")[-2:])
