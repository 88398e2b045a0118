"""`python -m tools.docs`: write every page anew. `make docs` does so."""

from tools.docs.pages import PAGES


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
