"""Types of settings. Each type checks its text, and refuses it with a sentence that shows an example.

A sentence never contains a secret, nor the credentials in a URL. `reading` has already stripped the texts.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr

from vestibule.crypto.seal import MIN_SECRET_CHARACTERS
from vestibule.model.brand import COLOUR, picture_type
from vestibule.model.paths import path_from
from vestibule.protocol.files import read_bounded
from vestibule.protocol.service_keys import hide_keys

_DIGITS = re.compile(r"[+-]?[0-9]{1,15}")  # no setting allows a number of 15 digits
_SWITCH = dict.fromkeys(("on", "true", "yes", "1"), True) | dict.fromkeys(("off", "false", "no", "0"), False)
MAX_LOGO_BYTES = 100_000
_LONGEST_SHOWN = 60
_NOT_IN_A_LIST = re.compile(r"""[\s;"'“”„]""")
_QUERY_OR_FRAGMENT = re.compile(r"(?<=.)[?#].*", re.DOTALL)


def shown(text: str) -> str:
    """Return the text as an error message may show it: in quotation marks, at most 60 characters, without service keys,
    and without the parts of a URL that may have a password (before an @, in the query, in the fragment).
    """
    without_user = "…" + text.rpartition("@")[2] if "@" in text else text
    bare = _QUERY_OR_FRAGMENT.sub("…", without_user)
    return repr(hide_keys(bare))[:_LONGEST_SHOWN]


def pem_of(secret: SecretStr) -> bytes:
    """Return the PEM in a key setting; raises `ValueError` if that is not base64.

    Accepts base64 as Node does: with line breaks, in either alphabet, with or without padding.
    """
    text = "".join(secret.get_secret_value().split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("is not base64; it must be a PEM file, encoded as base64") from None


def listed(text: Any) -> Any:
    """Return the parts between commas; raises `ValueError` if something else stands between them. A value that is not
    text is returned unchanged.
    """
    if not isinstance(text, str):
        return text
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in parts:
        if _NOT_IN_A_LIST.search(part):
            raise ValueError(
                f"{shown(part)} has a space, a ; or a quotation mark; put only commas between several values"
            )
    return parts


def whole(text: Any) -> Any:
    """Return the whole number that a text has in digits; raises `ValueError` for other text. A value that is not text
    is returned unchanged.
    """
    if not isinstance(text, str):
        return text
    if _DIGITS.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a whole number in plain digits, such as 900")
    return int(text)


def _switch(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if text.lower() not in _SWITCH:
        raise ValueError(f"{shown(text)} is neither on nor off")
    return _SWITCH[text.lower()]


def _long_enough(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value() and len(secret.get_secret_value()) < MIN_SECRET_CHARACTERS:
        raise ValueError(
            f"is too short: at least {MIN_SECRET_CHARACTERS} characters; "
            'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return secret


def _base64_pem(secret: SecretStr) -> SecretStr:
    if secret.get_secret_value().startswith("-----BEGIN"):
        raise ValueError("is a PEM file; encode it as base64: base64 -w0 key.pem")
    pem_of(secret)
    return secret


def _colour(text: str) -> str:
    if COLOUR.fullmatch(text) is None:
        raise ValueError(f"{shown(text)} is not a colour such as #2b4acb")
    return text.lower()


def _path(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return path_from(text)
    except ValueError as fault:
        raise ValueError(f"{shown(text)} {fault}") from None


def _logo(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        content = read_bounded(path, MAX_LOGO_BYTES)
    except OSError as fault:
        raise ValueError(f"cannot read {path}: {fault.strerror}") from None
    except ValueError as fault:
        raise ValueError(f"{path} {fault}") from None
    if not picture_type(content):
        raise ValueError(f"{path} is not a PNG, JPEG or GIF of at most {MAX_LOGO_BYTES // 1000} kB")
    return path


def _folder(path: Path | None) -> Path | None:
    try:
        if path is not None and not path.is_dir():
            raise ValueError(f"there is no folder {path}")
    except OSError as fault:
        raise ValueError(f"cannot look into {path}: {fault.strerror}") from None
    return path


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("is not a name on one line")
    return text.strip()


Whole = Annotated[int, BeforeValidator(whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]
Pem = Annotated[SecretStr, AfterValidator(_base64_pem)]
SealingSecret = Annotated[SecretStr, AfterValidator(_long_enough)]
Colour = Annotated[str, AfterValidator(_colour)]
DataFolder = Annotated[Path, BeforeValidator(_path)]
Logo = Annotated[Path | None, AfterValidator(_logo), BeforeValidator(_path)]
Folder = Annotated[Path | None, AfterValidator(_folder), BeforeValidator(_path)]
OneLine = Annotated[str, AfterValidator(_one_line)]
