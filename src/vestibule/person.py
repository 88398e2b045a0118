"""The program behind `vestibule login`, `whoami`, `token` and `logout`: `python -m vestibule.person`."""

from vestibule.process import missing

with missing.explained():
    from vestibule.cli import usage
    from vestibule.cli.endings import explained
    from vestibule.cli.session import person


def main() -> None:
    """Run one of these commands."""
    with explained():
        usage.run(person)


if __name__ == "__main__":
    main()
