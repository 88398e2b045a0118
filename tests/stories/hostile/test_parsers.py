"""Every parser of what strangers send, with whatever hypothesis thinks of: an answer or the refusal that it has, in
bounds, and nothing else.
"""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from vestibule.client.errors import NotReachedError
from vestibule.client.events import Event, EventParser
from vestibule.model.devices import describe
from vestibule.model.languages import LANGUAGES, preferred
from vestibule.protocol import cookies as protocol_cookies
from vestibule.web import cookies
from vestibule.web.caller import bearer
from vestibule.web.client_address import ClientAddresses
from vestibule.web.hosts import check_host_and_framing
from vestibule.web.pages import return_to
from vestibule.web.request_errors import AmbiguousCredential, HostInvalid, HostUnknown, TransferCodingUnknown
from vestibule.web.web_policy import WebPolicy

ORIGINS = ("https://app.example.com",)
WEB = WebPolicy(frozenset(ORIGINS), secure_cookies=True, interactive_docs=False, hosts=frozenset({"auth.example.com"}))
PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1"))
ADDRESSES = "10.0.0.1 192.0.2.7 [2001:db8::1]:443 ::1 fe80::1%x unknown _hidden for= by="
NAMES = "https://app.example.com auth.example.com access_token refresh_token= language=de device_ Firefox/ Windows"
SIGNS = '" ; , = * q=0 de nan 1e999 // / \\ .. %2f ? # @ :'
BREAKS = (
    " ",
    "\t",
    "\r",
    "\0",
    "\n\n",
    "Bearer ",
    "data: {}\n",
    "event: revoked\n",
    "id: 1\n",
    "é",
    "\ud800",
    "\u0661",
)
PIECES = (*ADDRESSES.split(), *NAMES.split(), *SIGNS.split(), *BREAKS)
TEXT = some.one_of(some.text(max_size=200), some.lists(some.sampled_from(PIECES), max_size=20).map("".join))
BYTES = some.one_of(some.binary(max_size=200), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
HEADERS = some.lists(
    some.tuples(some.sampled_from([b"cookie", b"authorization", b"host", b"transfer-encoding", b"x"]), BYTES),
    max_size=6,
)


@given(
    some.sampled_from(["10.1.2.3", "192.0.2.1", "::1", "no address"]), some.lists(BYTES, max_size=4), some.booleans()
)
def test_a_client_is_an_address_or_nobody(peer: str, sent: list[bytes], forwarded: bool) -> None:
    name = "forwarded" if forwarded else "x-forwarded-for"
    scope = {"type": "http", "client": (peer, 1), "headers": [(name.encode(), each) for each in sent]}
    told = ClientAddresses(PROXIES, "forwarded" if forwarded else "x-forwarded-for").of(scope)
    if told:
        assert str(ip_address(told)) == told
        assert "%" not in told
    if peer == "192.0.2.1":
        assert told == peer, "who is not listed is not believed"


@given(HEADERS)
def test_a_host_is_taken_or_refused(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        chunked = check_host_and_framing(headers, WEB)
    except (HostInvalid, HostUnknown, TransferCodingUnknown):
        return
    (host,) = [content for name, content in headers if name == b"host"]
    assert host.lower().rpartition(b":")[0].rstrip(b".") or host
    assert host.decode().lower().startswith(("auth.example.com", "localhost", "127.0.0.1", "[::1]"))
    assert chunked == any(name == b"transfer-encoding" for name, _ in headers)


@given(HEADERS)
def test_cookies_are_read_or_are_none(headers: list[tuple[bytes, bytes]]) -> None:
    for read in (cookies.read_access, cookies.read_refresh):
        value = read(headers, WEB)
        assert value is None or (";" not in value and value == value.strip(" \t"))
    for secrets in cookies.read_devices(headers, WEB).values():
        assert all(";" not in secret for secret in secrets)
    assert cookies.any_credential(headers, WEB) in {True, False}
    assert protocol_cookies.read([*headers, (b"cookie", b"twice=a"), (b"cookie", b"twice=b")], b"twice") is None


@given(HEADERS)
def test_a_bearer_is_one_or_none(headers: list[tuple[bytes, bytes]]) -> None:
    try:
        token = bearer(headers)
    except AmbiguousCredential:
        assert sum(name == b"authorization" for name, _ in headers) > 1
    else:
        assert token is None or token == token.strip(" \t")


@given(TEXT)
def test_a_language_is_one_of_ours_or_none(text: str) -> None:
    assert preferred(text) in {None, *LANGUAGES}


@given(TEXT)
def test_where_to_return_is_here_or_at_a_listed_origin(text: str) -> None:
    target = return_to.allowed_target(text, ORIGINS)
    if target is None:
        return
    assert len(target) <= return_to.MAX_CHARACTERS
    rest = target.removeprefix(ORIGINS[0])
    assert target.startswith((f"{ORIGINS[0]}/", "/")) or target == ORIGINS[0]
    assert not rest.startswith(("//", "/\\"))
    assert not set(rest) & set("\\\r\n\t\0 #@<>\"'")
    assert rest.isascii()


@given(TEXT)
def test_a_device_is_told_in_our_words_alone(text: str) -> None:
    told = describe(text)
    assert told.replace(", ", "").replace(" ", "").isalnum() or not told
    assert len(told) < 40


@given(some.lists(BYTES, max_size=8))
@settings(max_examples=300)
def test_a_feed_is_events_or_no_feed(pieces: list[bytes]) -> None:
    reader = EventParser()
    try:
        events = [event for piece in pieces for event in reader.feed(piece)]
    except NotReachedError:
        return
    assert all(isinstance(event, Event) and isinstance(event.data, dict) for event in events)


@pytest.mark.parametrize("text", ["q=nan", "de;q=nan", "de;q=1e999", "de;q=-0", "de;q=0.0001"])
def test_a_quality_that_is_no_number_chooses_nothing_wrong(text: str) -> None:
    assert preferred(text) in {None, "de"}
