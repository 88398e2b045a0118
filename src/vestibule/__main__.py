"""Where the command `vestibule` starts, `python -m vestibule` too. What is missing is named, with what to install.

The commands of a person load neither server nor database, so that they answer in half a second.
"""

import sys
from importlib import import_module

from vestibule.process import garbage, missing

OF_A_PERSON = ("login", "whoami", "token", "logout")


def module_of(arguments: list[str]) -> str:
    """Return the name of the module whose `main` runs this command line."""
    return "vestibule.cli.session" if arguments[:1] and arguments[0] in OF_A_PERSON else "vestibule.wiring.commands"


def main() -> None:
    """Run a command."""
    with missing.explained(), garbage.none_meanwhile():
        program = import_module(module_of(sys.argv[1:]))
    program.main()


if __name__ == "__main__":
    main()
