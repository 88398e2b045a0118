"""The pages of `docs/` that are made from code and tests: `make docs`."""
