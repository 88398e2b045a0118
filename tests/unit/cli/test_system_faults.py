"""C40: why the system refused, in its own words, whatever Python and its libraries made of it."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Awaitable, Callable

import aiosmtplib
import pytest

from tests.harness.servers import free_port
from vestibule.process.system_faults import reason

NOBODY = free_port()
REFUSED = "Connection refused"


async def several_addresses() -> None:
    async def found(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", NOBODY))] * 2

    asyncio.get_running_loop().getaddrinfo = found  # type: ignore[assignment]
    await asyncio.open_connection("two.example", NOBODY)


async def no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        try:
            async with asyncio.timeout(0.01):
                await reader.read()
        finally:
            writer.close()


async def no_tls() -> None:
    def greet(_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        to.write(b"220 hello\r\n")
        to.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())


FAULTS: dict[str, tuple[Callable[[], Awaitable[object]], str]] = {
    "one address": (lambda: asyncio.open_connection("127.0.0.1", NOBODY), REFUSED),
    "several": (several_addresses, REFUSED),
    "of a library": (lambda: aiosmtplib.SMTP(hostname="127.0.0.1", port=NOBODY).connect(), REFUSED),
    "no such host": (lambda: asyncio.open_connection("nowhere.invalid", 1), "not known"),
    "silent": (no_answer, "no answer in time"),
    "no TLS": (no_tls, "no TLS connection is possible: "),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_c40_it_is_said_in_words(fault: str) -> None:
    fail, words = FAULTS[fault]
    with pytest.raises(Exception) as raised:  # each library has its own
        await fail()
    said = reason(raised.value)
    assert words in said
    assert said.isprintable()
    assert "Errno" not in said


def test_c40_what_did_not_come_from_the_system_is_not_made_up() -> None:
    assert reason(ValueError("[Errno 111]")) == ""
    assert reason(OSError("it said nothing")) == ""
    assert reason(OSError(errno.ENOSPC, "x")) == "No space left on device"
