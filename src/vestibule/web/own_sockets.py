"""Find the open connections to this process's port, as Linux shows them in `/proc/self/fd`, for `connections`.

The client of a connection does not change, so it is looked up once and remembered. Looking up 5,000 connections each
time took a tenth of a second, and slowed down every request meanwhile.
"""

import contextlib
import errno
import os
import socket
import stat
import struct
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from vestibule.model.limits import network_of
from vestibule.web.client_address import Network, is_listed
from vestibule.web.in_flight import InFlight, Peer, Stage

_FILES = Path("/proc/self/fd")
# The offset of `tcpi_last_data_sent` in `struct tcp_info` (linux/tcp.h), and the bytes up to its end. The field has the
# milliseconds since we last sent something, or since the connection was opened.
_LAST_DATA_SENT_OFFSET, _TCP_INFO_BYTES = 44, 48


_File = tuple[
    int,  # the device that an open file is on
    int,  # the inode; each device numbers its inodes from the beginning
]


@dataclass(frozen=True)
class Connection:
    """An open connection. `file` is a duplicate of its descriptor, `network` is the client's. `limited` is false for a
    trusted proxy, whose connections have no limit. `idle_seconds` is the time since we last sent something, since the
    connection was opened, or since its request or answer began: long work must not count against the client.
    """

    file: socket.socket
    network: str
    limited: bool
    idle_seconds: float
    stage: Stage | None = None

    def cut(self) -> None:
        """Shut the connection down; the server library notices, and closes it."""
        with contextlib.suppress(OSError):
            self.file.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a file descriptor refers to. Without a `peer` it is not a client's connection."""

    file: _File
    family: int = 0
    peer: Peer | None = None
    network: str = ""
    limited: bool = False


class OwnSockets:
    """Finds the connections to one port. Connections from `proxies` are marked as not limited."""

    def __init__(self, port: int, proxies: tuple[Network, ...]) -> None:
        self._port = port
        self._proxies = proxies
        self._found: dict[int, _Found] = {}

    @staticmethod
    def can_be_seen() -> bool:
        """Return whether this system shows a process its own files."""
        return _FILES.is_dir()

    @staticmethod
    def open_files() -> int:
        """Return how many files this process has open, connections or not."""
        return len(_numbers())

    def scan(self) -> Counter[str]:
        """Look at all open files again; return how many connections each network has."""
        before, self._found = self._found, {}
        for number in _numbers():
            try:
                file, known = _file(number), before.get(number)
                if known is None or known.file != file:
                    known = self._find(number, file)
                self._found[number] = known
            except OSError:  # closed meanwhile, or no file is free for the duplicate
                continue
        return Counter(found.network for found in self._found.values() if found.peer)

    def connections(self, networks: Container[str], in_flight: InFlight) -> Iterator[Connection]:
        """Yield the connections of these networks, each with a duplicate of its descriptor, because the server may
        close the original and reuse its number meanwhile.
        """
        for number, found in self._found.items():
            if found.peer is None or found.network not in networks:
                continue
            try:
                copy = _copy_of(number, found.file, found.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            except OSError:  # closed meanwhile
                continue
            stage, seconds = in_flight.stage_of(found.peer)
            yield Connection(copy, found.network, found.limited, min(_seconds_since_sent(copy), seconds), stage)

    def _find(self, number: int, file: _File) -> _Found:
        """Return what a descriptor refers to; raises `OSError` if the system cannot say."""
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return _Found(file)
        with _copy_of(number, file) as copy:
            if copy.family not in {socket.AF_INET, socket.AF_INET6} or copy.getsockname()[1] != self._port:
                return _Found(file)
            family, peer = copy.family, _peer_of(copy)
        if peer is None:
            return _Found(file)
        return _Found(file, family, peer, network_of(peer[0]), not is_listed(peer[0], self._proxies))


def _numbers() -> list[int]:
    with os.scandir(_FILES) as files:
        return [int(file.name) for file in files]


def _file(number: int) -> _File:
    known = os.fstat(number)
    return known.st_dev, known.st_ino


def _require_still(file: _File, number: int) -> None:
    """Raise `OSError` unless the descriptor still refers to this file."""
    if _file(number) != file:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _copy_of(number: int, file: _File, family: int = -1, kind: int = -1, protocol: int = -1) -> socket.socket:
    """Return a duplicate of a socket. If its family is not given, the system finds it out. Raises `OSError` if the
    descriptor refers to something else by now.
    """
    copy = os.dup(number)
    try:
        _require_still(file, copy)
        return socket.socket(family, kind, protocol, fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _peer_of(connection: socket.socket) -> Peer | None:
    """Return the other end of a connection; None if it has none, because the socket listens or was reset."""
    try:
        address, port = connection.getpeername()[:2]
    except OSError:
        return None
    return address, port


def _seconds_since_sent(connection: socket.socket) -> float:
    """Return the seconds since we last sent something; 0 if the system does not say."""
    try:
        known = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return 0.0
    (sent,) = struct.unpack_from("=I", known, _LAST_DATA_SENT_OFFSET)
    return float(sent / 1000)
