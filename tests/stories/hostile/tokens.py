"""A table of hostile tokens, made from one good token: each differs from it in the one way its name says.

Most are signed with the server's real key, so that nothing but the strange part can be the reason for a refusal.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

from tests.stories.hostile.forgery import Good, compose, encode, json_bytes, public_as_secret, signers, stranger
from vestibule.crypto.jwk import ALGORITHMS

Named = Iterator[tuple[str, str]]

NONES = ("none", "None", "NONE", "nOnE", "noNe", "none ", " none", "none\0", "\uff4eone", "", "null", None, [], False)
MISNAMED = ("rs256", "RS256 ", "RS-256", "SHA256withRSA", "RSA1_5", "dir", "HS256", ["RS256"], {"RS256": 1}, 1)
KIDS = (None, 1, True, [], {}, "", "0", "../../../../dev/null", "/dev/null", "' OR 1=1 --", '"', "\0", "*", "A" * 43)
TYPES = (None, 1, "", "JWT", "jwt", "application/jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "id+jwt", ["at+jwt"])
STRANGE_VALUES = (None, True, False, -1, 1.5, "", [], {}, [["a"]])
# What claims that may be left out may be, of these values.
OPTIONAL: dict[str, tuple[object, ...]] = {
    "email_verified": (True, False),
    "auth_time": (),
    "amr": ([],),
    "acr": (),
}
NOT_ANY_TEXT = {"iss", "aud", "iat", "exp", "role", "n"}
EXTRA_MEMBERS: dict[str, Any] = {
    "crit of a claim": {"crit": ["exp"], "exp": 1},
    "crit that is empty": {"crit": []},
    "crit of an unknown member": {"crit": ["unknown"], "unknown": True},
    "b64 with crit": {"crit": ["b64"], "b64": False},
    "b64 without crit": {"b64": False},
    "zip": {"zip": "DEF"},
    "cty": {"cty": "JWT"},
    "enc": {"enc": "A256GCM"},
    "p2c": {"p2c": 2**31 - 1, "p2s": "AAAA"},
    "epk": {"epk": {"kty": "EC"}},
    "nonce": {"nonce": "1"},
    "url": {"url": "http://localhost:8000/"},
    "iss": {"iss": "vestibule"},
    "unknown": {"unknown": None},
    "an empty name": {"": ""},
    "__proto__": {"__proto__": {"alg": "none"}},
    "ALG": {"ALG": "none"},
}


def hostile_tokens(good: Good, listener: str) -> dict[str, str]:
    """Every hostile token by its name. `listener` is an URL that must never be asked for."""
    families = (_unsigned, _symmetric, _swapped, _misnamed, _foreign_keys, _headers, _kids_and_types, _claims)
    table = {name: token for family in families for name, token in family(good)}
    table |= dict(_fetched(good, listener)) | dict(_shapes(good)) | dict(_not_ijson_bytes(good)) | dict(_bent(good))
    return table


def _unsigned(good: Good) -> Named:
    signatures = {"no": lambda _: b"", "a junk": lambda _: b"junk", "the good": good.sign}
    for alg in NONES:
        for what, sign in signatures.items():
            yield f"alg {alg!r} with {what} signature", compose({**good.header, "alg": alg}, good.claims, sign)
    yield "alg none and nothing else", compose({"alg": "none"}, good.claims, lambda _: b"")


def _symmetric(good: Good) -> Named:
    for bits, digest in (("256", hashlib.sha256), ("384", hashlib.sha384), ("512", hashlib.sha512)):
        for what, secret in public_as_secret(good.key.public).items():

            def sign(text: bytes, secret: bytes = secret, digest: Any = digest) -> bytes:
                return hmac.new(secret, text, digest).digest()

            yield f"HS{bits} with {what}", compose({**good.header, "alg": f"HS{bits}"}, good.claims, sign)


def _swapped(good: Good) -> Named:
    """Another algorithm of the same key, said aloud in the header and not."""
    schemes = signers(good.key)
    right = schemes.pop(good.key.public.alg)
    for alg, sign in schemes.items():
        yield f"{alg}, said", compose({**good.header, "alg": alg}, good.claims, sign)
        if sign != right:  # for some have two names
            yield f"{alg}, not said", compose(good.header, good.claims, sign)


def _misnamed(good: Good) -> Named:
    for alg in [alg for alg in (*MISNAMED, *ALGORITHMS) if alg != good.key.public.alg]:
        yield f"alg {alg!r} over a good signature", good.token({**good.header, "alg": alg})


def _foreign_keys(good: Good) -> Named:
    for alg, sign in [pair for key in map(stranger, ALGORITHMS) for pair in signers(key).items()]:
        yield f"a stranger's {alg} under our kid", compose({**good.header, "alg": alg}, good.claims, sign)
        yield f"a stranger's {alg} under our kid, not said", compose(good.header, good.claims, sign)
    foreign = good.by_a_stranger
    yield "a stranger's kid and signature", foreign.token()
    yield "a stranger's kid over a good signature", good.token(foreign.header)


def _fetched(good: Good, listener: str) -> Named:
    """Keys that come with the token, or an address to fetch them from."""
    foreign = good.by_a_stranger
    public = foreign.key.public
    members = {
        "jwk": public.as_jwk(),
        "jku": f"{listener}/jwks.json",
        "x5u": f"{listener}/chain.pem",
        "x5c": [base64.b64encode(public.to_pem()).decode()],
        "x5t": encode(hashlib.sha1(b"certificate").digest()),
        "x5t#S256": encode(hashlib.sha256(b"certificate").digest()),
    }
    for name, value in members.items():
        yield f"{name} over a good signature", good.token({**good.header, name: value})
        yield f"{name} and its signature under our kid", foreign.token({**good.header, name: value})
        yield f"{name} and its signature under its kid", foreign.token({**foreign.header, name: value})
    yield "an address for a kid", good.token({**good.header, "kid": f"{listener}/jwks.json"})
    yield "an address for an issuer", good.token(claims={**good.claims, "iss": listener})


def _headers(good: Good) -> Named:
    for what, members in EXTRA_MEMBERS.items():
        yield f"header with {what}", good.token({**good.header, **members})
    for name in good.header:
        yield f"header without {name}", good.token({k: v for k, v in good.header.items() if k != name})


def _kids_and_types(good: Good) -> Named:
    kid = good.key.kid
    for value in (*KIDS, [kid], kid + "\0", kid + "=", kid[:-1], kid.swapcase(), "A" * 4_000, "A" * 100_000):
        yield f"kid {str(value)[:30]!r}… of {len(str(value))}", good.token({**good.header, "kid": value})
    others = {"at+jwt", "rt+jwt"} - {good.typ}
    for value in (*TYPES, *others, good.typ.upper(), f"application/{good.typ}", f"{good.typ} ", [good.typ]):
        yield f"typ {value!r}", good.token({**good.header, "typ": value})


def _claims(good: Good) -> Named:
    for name, allowed in ((name, allowed) for name, allowed in OPTIONAL.items() if name in good.claims):
        for value in (value for value in STRANGE_VALUES if value not in allowed):
            yield f"{name} {value!r}", good.token(claims={**good.claims, name: value})
    for name in sorted(good.claims.keys() - OPTIONAL.keys()):
        yield f"no {name}", good.token(claims={k: v for k, v in good.claims.items() if k != name})
        for value in (*STRANGE_VALUES, *(("1",) if name in NOT_ANY_TEXT else ()), [good.claims[name]]):
            yield f"{name} {value!r}", good.token(claims={**good.claims, name: value})
    yield "a NUL in sid", good.token(claims={**good.claims, "sid": "a\0b"})
    yield "the end of time", good.token(claims={**good.claims, "exp": 253402300799})
    yield "beyond the end of time", good.token(claims={**good.claims, "exp": 2**53 - 1})
    yield "long expired", good.token(claims={**good.claims, "iat": 0, "exp": 900})
    yield "not before tomorrow", good.token(claims={**good.claims, "nbf": good.claims["iat"] + 86_400})
    yield "not before never", good.token(claims={**good.claims, "nbf": "never"})
    yield "from the future", good.token(claims={**good.claims, "iat": 2**34, "exp": 2**34 + 900})


def _bent(good: Good) -> Named:
    """The good token, changed after it was signed."""
    token = good.token()
    header, claims, signature = token.split(".")
    more = encode(json_bytes({**good.claims, "role": "admin", "n": 2}))
    yield "other claims under a good signature", f"{header}.{more}.{signature}"
    yield "a signature cut short", token[:-4]
    yield "a longer signature", token + "AAAA"
    yield "a signature of zeros", f"{header}.{claims}.{encode(bytes(len(good.sign(b''))))}"
    yield "a signature of one byte", f"{header}.{claims}.AA"
    yield "no signature", f"{header}.{claims}."
    yield "the parts in another order", f"{claims}.{header}.{signature}"


def _shapes(good: Good) -> Named:
    token = good.token()
    header, claims, signature = token.split(".")
    flattened = {"protected": header, "payload": claims, "signature": signature}
    general = {"payload": claims, "signatures": [{"protected": header, "signature": signature}]}
    spare = chr(ord(signature[-1]) + 1)
    yield from {
        "one word": "token",
        "one dot": ".",
        "two dots": "..",
        "three letters": "a.b.c",
        "two parts": f"{header}.{claims}",
        "four parts": token + ".AAAA",
        "five parts": f"{token}.AAAA.AAAA",
        "an empty fourth part": token + ".",
        "an empty first part": "." + token,
        "an empty header": f".{claims}.{signature}",
        "an empty payload": f"{header}..{signature}",
        "a padded header": f"{header}=.{claims}.{signature}",
        "a padded payload": f"{header}.{claims}=.{signature}",
        "a padded signature": token + "==",
        "other spare bits": token[:-1] + spare,
        "base64 of the other alphabet": f"{header}.{claims}.{'+/' * 171}",
        "a space inside": f"{header}. {claims}.{signature}",
        "a tab inside": f"{header}\t.{claims}.{signature}",
        "a newline inside": f"{header}\n.{claims}.{signature}",
        "a NUL at the end": token + "\0",
        "a no-break space at the end": token + "\u00a0",
        "a next-line character before": "\u0085" + token,
        "a zero-width space": f"{header}.\u200b{claims}.{signature}",
        "fullwidth dots": token.replace(".", "\uff0e"),
        "a percent-encoded dot": token.replace(".", "%2E"),
        "quotes": f'"{token}"',
        "twice": f"{token},{token}",
        "with its scheme": f"Bearer {token}",
        "flattened JSON": json.dumps(flattened),
        "general JSON": json.dumps(general),
        "base64 of the whole": encode(token.encode()),
        "a kilobyte too long": "A" * 9_216 + f".{claims}.{signature}",
        "a header of 8 MiB": "A" * 2**23 + f".{claims}.{signature}",
        "four million dots": "." * 2**22,
        "emoji": "\U0001f511.\U0001f511.\U0001f511",
        "PASETO": "v4.public." + claims,
        "null": "null",
        "undefined": "undefined",
    }.items()


def _not_ijson_bytes(good: Good) -> Named:
    """What two parsers could read in two ways, in the header and in the payload."""
    for where, value in (("header", good.header), ("payload", good.claims)):
        plain = json_bytes(value)
        name, member = next((name, json.dumps(value[name])) for name in ("typ", "iss") if name in value)
        texts = {
            "with a name twice": plain[:-1] + f',"{name}":{member}}}'.encode(),
            "with a name twice, the bad one first": f'{{"{name}":"x",'.encode() + plain[1:],
            "with a name twice, once escaped": plain[:-1] + f',"\\u{ord(name[0]):04x}{name[1:]}":{member}}}'.encode(),
            "with NaN": plain[:-1] + b',"x":NaN}',
            "with Infinity": plain[:-1] + b',"x":-Infinity}',
            "with a huge integer": plain[:-1] + b',"x":' + b"9" * 3_000 + b"}",
            "with a lone surrogate": plain[:-1] + b',"x":"\\ud800"}',
            "with bad UTF-8": plain[:-1] + b',"x":"\xff"}',
            "with a control character": plain[:-1] + b',"x":"\x01"}',
            "with deep nesting": plain[:-1] + b',"x":' + b"[" * 17 + b"]" * 17 + b"}",
            "with very deep nesting": b"[" * 3_000,
            "with a trailing comma": plain[:-1] + b",}",
            "with a second object": plain + plain,
            "with a byte order mark": b"\xef\xbb\xbf" + plain,
            "in UTF-16": plain.decode().encode("utf-16"),
            "in single quotes": plain.replace(b'"', b"'"),
            "as an array": b"[" + plain + b"]",
            "as a string": json.dumps(plain.decode()).encode(),
            "as null": b"null",
            "as a number": b"1",
            "as nothing in braces": b"{}",
            "as a NUL": b"\0",
        }
        for what, text in texts.items():
            yield f"{where} {what}", good.token(text) if where == "header" else good.token(claims=text)
