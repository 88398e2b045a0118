"""The one canonical form of an email: look-alikes are one account, another account, or no email at all."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vestibule.model.accounts import MAX_EMAIL_BYTES, NotAnEmail, canonical_email

CANONICAL = {
    "as it is": ("ada@example.com", "ada@example.com"),
    "upper case": ("Ada@EXAMPLE.Com", "ada@example.com"),
    "a plus tag is kept": ("ada+news@example.com", "ada+news@example.com"),
    "dots are kept": ("a.d.a@example.com", "a.d.a@example.com"),
    "a fullwidth domain": ("ada@\uff45xample.com", "ada@example.com"),
    "a fullwidth full stop": ("ada@example\uff0ecom", "ada@example.com"),
    "an ideographic full stop": ("ada@example\u3002com", "ada@example.com"),
    "the Kelvin sign, which NFC makes a K": ("\u212aate@example.com", "kate@example.com"),
    "a letter like C": ("ada@\u2102.com", "ada@c.com"),
    "an IDN": ("ada@b\u00fccher.example.com", "ada@xn--bcher-kva.example.com"),
    "the same, decomposed": ("ada@bu\u0308cher.example.com", "ada@xn--bcher-kva.example.com"),
    "the same, upper case": ("ADA@B\u00dcCHER.example.com", "ada@xn--bcher-kva.example.com"),
    "the same, encoded": ("ada@xn--bcher-kva.example.com", "ada@xn--bcher-kva.example.com"),
    "the same, encoded in upper case": ("ada@XN--BCHER-KVA.example.com", "ada@xn--bcher-kva.example.com"),
    "a dotless i is another domain": ("ada@g\u0131thub.com", "ada@xn--gthub-n4a.com"),
    "a sharp s is another domain": ("ada@fa\u00df.de", "ada@xn--fa-hia.de"),
    "its double s": ("ada@fass.de", "ada@fass.de"),
    "a Cyrillic a is another domain": ("ada@ex\u0430mple.com", "ada@xn--exmple-4nf.com"),
}
REFUSED = {
    "nothing": "",
    "no at sign": "ada.example.com",
    "two at signs": "ada@example.com@evil.example.org",
    "no local part": "@example.com",
    "no domain": "ada@",
    "no dot in the domain": "ada@localhost",
    "a trailing dot": "ada@example.com.",
    "a leading dot": ".ada@example.com",
    "a dot before the at sign": "ada.@example.com",
    "two dots": "ada..b@example.com",
    "two dots in the domain": "ada@example..com",
    "a local part of 65 bytes": f"{'a' * 65}@example.com",
    "a fullwidth local part": "\uff41da@example.com",
    "a fullwidth at sign": "ada\uff20example.com",
    "a dotless i in the local part": "adm\u0131n@example.com",
    "a long s in the local part": "\u017fupport@example.com",
    "a Cyrillic a in the local part": "\u0430da@example.com",
    "a decomposed letter in the local part": "ade\u0301@example.com",
    "a zero-width space": "ad\u200ba@example.com",
    "a zero-width joiner in the domain": "ada@exam\u200dple.com",
    "a soft hyphen in the domain": "ada@exam\u00adple.com",
    "a byte order mark": "\ufeffada@example.com",
    "right-to-left override": "ada\u202e@example.com",
    "a one-dot leader": "ada@example\u2024com",
    "a digit with a full stop": "ada@\u2488com",
    "a quoted local part": '"ada"@example.com',
    "a quoted at sign": '"ada@evil.example.org"@example.com',
    "a comma": "ada,bob@example.com",
    "two addresses": "ada@example.com,bob@example.com",
    "two addresses with a semicolon": "ada@example.com;bob@example.com",
    "a list": "ada@example.com bob@example.com",
    "a comment": "ada(comment)@example.com",
    "a comment in the domain": "ada@(comment)example.com",
    "angle brackets": "<ada@example.com>",
    "a display name": "Ada <ada@example.com>",
    "an IPv4 literal": "ada@[127.0.0.1]",
    "an IPv6 literal": "ada@[IPv6:::1]",
    "a bare IPv4 address": "ada@127.0.0.1",
    "a domain that is a number": "ada@1.2",
    "a space before": " ada@example.com",
    "a space after": "ada@example.com ",
    "a newline after": "ada@example.com\n",
    "a header after": "ada@example.com\r\nBcc: bob@example.com",
    "a NUL": "ada\0@example.com",
    "a NUL in the domain": "ada@example\0.com",
    "a tab": "ada\t@example.com",
    "an underscore in the domain": "ada@ex_ample.com",
    "a hyphen first": "ada@-example.com",
    "a hyphen last": "ada@example-.com",
    "broken punycode": "ada@xn--a.com",
    "empty punycode": "ada@xn--.com",
    "a source route": "@evil.example.org:ada@example.com",
    "a lone surrogate": "\ud800@example.com",
    "a lone surrogate in the domain": "ada@\ud800.com",
    "an emoji": "ada@\U0001f4a9.com",
}
SLOW = {
    "4,000 characters": "a" * 3_988 + "@example.com",
    "a domain of 4,000 characters": "a@" + "b" * 3_994 + ".com",
    "500 labels": "a@" + "b." * 500 + "com",
    "500 at signs": "@" * 500,
    "125 labels within the limit": "a@" + "b." * 124 + "com",
    "letters that must be encoded": "a@" + "\u00fc" * 250 + ".c",
    "125 labels that must be encoded": "a@" + "\u00fc." * 124 + "co",
    "letters that decompose": "a@" + "\ufdfa" * 250 + ".c",
    "marks that are reordered": "a@b" + "\u0301\u0323" * 120 + ".com",
    "quotes": '"' * 250 + "@b.c",
    "100 kB": "a" * 100_000,
    "100 kB of marks": "\u0301" * 100_000,
}
CANONICAL_CHARACTERS = set("abcdefghijklmnopqrstuvwxyz0123456789.@-!#$%&'*+/=?^_`{|}~")
AWKWARD = "aAzZ09-\u00fc\u00df\u0131\u0130\u212a\u03c2\u0627\u0301\uff41xn"
NEARLY = st.builds(
    lambda local, labels, tld: f"{local}@{'.'.join([*labels, tld])}",
    st.text(st.sampled_from("aZ09.+-_'\"(),\u212a\u0131\uff41\u0301 "), max_size=8),
    st.lists(st.text(st.sampled_from(AWKWARD)), max_size=4),
    st.sampled_from(["com", "de", "COM", "\uff43om", "", "1"]),
)


@pytest.mark.parametrize(("text", "expected"), CANONICAL.values(), ids=CANONICAL)
def test_the_canonical_form(text: str, expected: str) -> None:
    """E1: the canonical form."""
    assert canonical_email(text) == expected


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_email(text: str) -> None:
    """E1, O11: no email."""
    with pytest.raises(NotAnEmail):
        canonical_email(text)


def test_254_bytes_are_an_email_and_255_are_none() -> None:
    """E4: 254 bytes are an email and 255 are none."""
    labels = ".".join(["b" * 61] * 3)
    longest = f"{'a' * 64}@{labels}.com"
    longest = longest[:-4] + "b" * (MAX_EMAIL_BYTES - len(longest)) + ".com"
    assert len(longest) == 254
    assert canonical_email(longest.upper()) == longest
    with pytest.raises(NotAnEmail):
        canonical_email(longest[:-4] + "b.com")


def test_the_limit_counts_what_is_stored_and_not_what_was_typed() -> None:
    typed = "a" * 60 + "@" + ("\u00fc" * 30 + ".") * 6 + "com"
    assert len(typed) <= MAX_EMAIL_BYTES
    with pytest.raises(NotAnEmail):
        canonical_email(typed)


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_judging_costs_little_whatever_was_typed(text: str) -> None:
    """E4: judging costs little whatever was typed."""
    start = time.thread_time()
    refused_or_canonical(text)
    assert time.thread_time() - start < 0.05


@given(NEARLY | st.emails() | st.text(max_size=60) | st.text(st.characters(codec=None), max_size=20))
@example("ada@e\u0301xample.com")
@example("ada@example.com\u0301")
@example("ada@\u0130stanbul.com")
@example("a@\u200c.com")
@settings(deadline=None, max_examples=300)
def test_canonical_once_is_canonical_for_ever(text: str) -> None:
    refused_or_canonical(text)


def refused_or_canonical(text: str) -> None:
    """An email is taken to a form that is its own canonical form, and plain; anything else is `NotAnEmail`."""
    try:
        email = canonical_email(text)
    except NotAnEmail:
        return
    assert canonical_email(email) == email
    assert set(email) <= CANONICAL_CHARACTERS
    assert email.count("@") == 1
    assert len(email) <= MAX_EMAIL_BYTES
