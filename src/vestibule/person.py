"""The process of `vestibule login`, `whoami`, `token` and `logout`, which are in `cli/session.py`."""

from vestibule.cli.session import person
from vestibule.endings import explained


def main() -> None:
    """Run one of them. What nobody foresaw is told without what it quotes."""
    with explained():
        person(prog_name="vestibule")


if __name__ == "__main__":
    main()
