"""One cell of a table of commands and troubles: a command is run by its entry point, and what it says is judged."""

import io
import signal
import threading
from dataclasses import dataclass
from importlib import import_module

import pytest

from tests.harness.servers import WAIT_SECONDS
from tests.unit.cli import every
from tests.unit.cli.plain import SECRET, of_python
from vestibule import __main__


@dataclass(frozen=True)
class Said:
    """How a command ended, and what is on the screen then."""

    command: str
    status: int
    text: str

    def faults(self, statuses: set[int], *words: str) -> list[str]:
        """What is wrong with it, as lines."""
        flat = " ".join(self.text.split())
        wrong = [f"Python: {piece}" for piece in of_python(self.text)]
        wrong += [f"status {self.status}"] if self.status not in statuses else []
        wrong += [f"does not say {word!r}" for word in words if word not in flat]
        wrong += ["shows the password"] if SECRET in self.text else []
        return [f"{self.command}: {each}: {flat}" for each in wrong]


def _ends(thread: threading.Thread) -> bool:
    """Whether a thread ends that may have been told to: that of a progress bar is not waited for."""
    thread.join(WAIT_SECONDS)
    return not thread.is_alive()


def said_here(
    name: str, settings: dict[str, str], patch: pytest.MonkeyPatch, screen: pytest.CaptureFixture[str], *more: str
) -> Said:
    """What a command says in this process, in the current folder. It leaves no thread behind."""
    for setting, value in settings.items():
        patch.setenv(setting, value)
    patch.setattr("sys.argv", ["vestibule", *every.arguments(name), *more])
    patch.setattr("sys.stdin", io.StringIO("a password\n"))
    threads, handler = set(threading.enumerate()), signal.getsignal(signal.SIGTERM)
    program = import_module(__main__.module_of([*every.arguments(name), *more]))
    with pytest.raises(SystemExit) as end:
        program.main()
    signal.signal(signal.SIGTERM, handler)
    written = screen.readouterr()
    left = [thread for thread in set(threading.enumerate()) - threads if not _ends(thread)]
    assert not left, (name, left)
    return Said(name, int(end.value.code or 0), written.out + written.err)
