"""Fork processes that run `vestibule …` from one that has imported it already.

`python -m tests.harness.zygote DESCRIPTOR` imports all that a server and a command import, and then waits, with one
thread. Each message on the socket with that descriptor asks for a process: its arguments, folder and environment as
JSON; and with it, as descriptors, the process's three streams and a socket, to which the zygote writes the process's id
and, later, its exit status. The fork runs the program from `main` on, in a session of its own. That takes some
milliseconds instead of two seconds of CPU, most of which are for imports.
"""

import gc
import json
import os
import selectors
import signal
import socket
import struct
import sys
from contextlib import suppress

import vestibule.app
import vestibule.cli.session
import vestibule.wiring.commands
from vestibule import __main__ as program

_MOST_BYTES = 1 << 20
_DESCRIPTORS = 4


def next_process(asked: socket.socket) -> None:
    """Fork a process for each message, and return in that process. The zygote itself never returns: it exits once
    nobody can ask any more.
    """
    waited: dict[int, tuple[int, socket.socket]] = {}
    looked_at = selectors.DefaultSelector()
    looked_at.register(asked, selectors.EVENT_READ)
    while True:
        for key, _ in looked_at.select():
            if key.fileobj is not asked:
                looked_at.unregister(key.fileobj)
                _tell_the_end(key.fd, *waited.pop(key.fd))
                continue
            message, streams, *_ = socket.recv_fds(asked, _MOST_BYTES, _DESCRIPTORS)
            if not message:
                os._exit(0)
            process_id = os.fork()
            if process_id == 0:
                looked_at.close()
                asked.close()
                for ended, (_, told) in waited.items():
                    os.close(ended)
                    told.close()
                _become(json.loads(message), streams)
                return
            told = socket.socket(fileno=streams.pop())
            for stream in streams:
                os.close(stream)
            told.sendall(struct.pack("i", process_id))
            ended = os.pidfd_open(process_id)
            waited[ended] = (process_id, told)
            looked_at.register(ended, selectors.EVENT_READ)


def _tell_the_end(descriptor: int, process_id: int, told: socket.socket) -> None:
    _, status = os.waitpid(process_id, 0)
    os.close(descriptor)
    with suppress(OSError):  # nobody waits for this process any more
        told.sendall(struct.pack("i", status))
    told.close()


def _become(wanted: dict[str, object], streams: list[int]) -> None:
    """Make this process like a new program: with its own arguments, environment, folder and streams."""
    os.setsid()
    os.close(streams.pop())
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(str(wanted["folder"]))
    os.environ.clear()
    os.environ.update(dict(wanted["environment"]))  # type: ignore[call-overload]
    sys.argv = [str(program.__file__), *list(wanted["arguments"])]  # type: ignore[call-overload]
    here = sys.modules["__main__"]
    here.__package__, here.__file__ = "vestibule", program.__file__


if __name__ == "__main__":
    assert vestibule.app.application
    assert vestibule.cli.session.main
    assert vestibule.wiring.commands.main
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.collect()
    gc.freeze()
    next_process(socket.socket(fileno=int(sys.argv[1])))
    program.main()
