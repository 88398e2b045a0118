"""Forms: what a page sends, as names and values, each name once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from vestibule.web.body import read_counted
from vestibule.web.errors import BodyMalformed, UnsupportedMedia

_MEDIA = "application/x-www-form-urlencoded"
_MAX_FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """The fields; raises `UnsupportedMedia`, `BodyTooLarge` or `BodyMalformed`."""
    if request.headers.get("content-type", _MEDIA).partition(";")[0].strip().lower() != _MEDIA:
        raise UnsupportedMedia
    try:
        text = (await read_counted(request)).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise BodyMalformed("the form is not one that a page of ours sends") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BodyMalformed("a field is there twice")
    return fields
