"""Start the command `vestibule`, also as `python -m vestibule`. If a module is missing, say what to install.

The commands for a signed-in person load neither server nor database, so that they answer in half a second.
"""

import sys
from importlib import import_module

from vestibule.process import garbage, missing

SESSION_COMMANDS = ("login", "whoami", "token", "logout")


def module_of(arguments: list[str]) -> str:
    """Return the name of the module whose `main` runs this command line."""
    return (
        "vestibule.cli.session" if arguments[:1] and arguments[0] in SESSION_COMMANDS else "vestibule.wiring.commands"
    )


def main() -> None:
    """Run a command."""
    with missing.explained(), garbage.none_meanwhile():
        program = import_module(module_of(sys.argv[1:]))
    program.main()


if __name__ == "__main__":
    main()
