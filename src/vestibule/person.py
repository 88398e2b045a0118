"""The program behind `vestibule login`, `whoami`, `token` and `logout`: `python -m vestibule.person`."""

from vestibule import missing

with missing.explained():
    from vestibule.cli import usage
    from vestibule.cli.session import person
    from vestibule.endings import explained


def main() -> None:
    """Run one of these commands."""
    with explained():
        usage.run(person)


if __name__ == "__main__":
    main()
