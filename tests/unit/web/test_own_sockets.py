"""Duplicates of this process's sockets: only of what was meant, and nothing stays open where there is none."""

import os
import socket
import sys
from pathlib import Path

import pytest

from vestibule.web import own_sockets
from vestibule.web.own_sockets import OwnSockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nowhere else are they seen")


def test_what_is_no_socket_leaves_no_duplicate_open(tmp_path: Path) -> None:
    """A number may have been given to a file since it was looked at."""
    with (tmp_path / "file").open("w") as file:
        known, before = own_sockets._file(file.fileno()), OwnSockets.open_files()
        with pytest.raises(OSError, match="Socket operation on non-socket"):
            own_sockets._copy_of(file.fileno(), known)
        assert OwnSockets.open_files() == before


def test_the_same_inode_on_another_device_is_another_file() -> None:
    with socket.socket() as one:
        device, inode = own_sockets._file(one.fileno())
        assert (device, inode) == (os.fstat(one.fileno()).st_dev, os.fstat(one.fileno()).st_ino)
        before = OwnSockets.open_files()
        with pytest.raises(OSError, match="Bad file descriptor"):
            own_sockets._copy_of(one.fileno(), (device + 1, inode))
        assert OwnSockets.open_files() == before
        with own_sockets._copy_of(one.fileno(), (device, inode)) as copy:
            assert copy.family == socket.AF_INET
