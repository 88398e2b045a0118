"""A refusal raised while a WSGI body is read: answered as the kit's own before the first piece, and never wrapped."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.client.asking import AUTH
from vestibule.client import Verifier, wsgi
from vestibule.client.caller_errors import NotAllowedError
from vestibule.client.testing import SignedIn


class Body:
    """A body that notes when it was closed."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = iter(pieces)
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed = True


def of_a_wsgi_application(body: Any, **more: Any) -> tuple[Any, list[str]]:
    started: list[str] = []

    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    environ = {"REQUEST_METHOD": "OPTIONS", "PATH_INFO": "/", **more}
    told = wsgi.VestibuleMiddleware(app, Verifier(**AUTH))(environ, lambda status, *_: started.append(status))
    return told, started


def test_a_wsgi_body_is_read_as_the_server_reads_it_and_closed(vestibule: SignedIn) -> None:
    body = Body(b"", b"one", b"two")
    told, started = of_a_wsgi_application(body)
    assert (list(told), started, body.closed) == ([b"", b"one", b"two"], ["200 OK"], False)
    told.close()
    assert body.closed


def test_k43_before_the_first_piece_a_refusal_replaces_what_was_begun(vestibule: SignedIn) -> None:
    told, started = of_a_wsgi_application(Body(b"", NotAllowedError()))
    assert b"not_allowed" in b"".join(told)
    assert started == ["200 OK", "403 Forbidden"]


def test_after_the_first_piece_a_refusal_is_the_server_s(vestibule: SignedIn) -> None:
    told, started = of_a_wsgi_application(Body(b"one", NotAllowedError()))
    assert next(told) == b"one"
    with pytest.raises(NotAllowedError):
        next(told)
    assert started == ["200 OK"]


def test_what_servers_send_in_a_faster_way_stays_what_it_is(vestibule: SignedIn) -> None:
    for body in ([b"one"], (b"one",), Body(b"one")):
        told, _ = of_a_wsgi_application(body, **{"wsgi.file_wrapper": Body})
        assert told is body
