"""Start the command `vestibule`, also as `python -m vestibule`. If a module is missing, say what to install.

The commands in `SESSION_COMMANDS` load neither server nor database, so that they answer in half a second.
"""

import sys
from importlib import import_module

from vestibule.process import garbage, interrupts, missing

SESSION_COMMANDS = ("login", "whoami", "token", "logout")


def module_of(arguments: list[str]) -> str:
    """Return the name of the module whose `main` runs this command line."""
    is_session_command = bool(arguments) and arguments[0] in SESSION_COMMANDS
    return "vestibule.cli.session" if is_session_command else "vestibule.wiring.commands"


def main() -> None:
    """Run a command."""
    interrupts.end_quietly()
    with missing.explained(), garbage.collection_paused():
        program = import_module(module_of(sys.argv[1:]))
    program.main()


if __name__ == "__main__":
    main()
