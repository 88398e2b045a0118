"""The settings, in groups by what an operator wants to do. `docs/settings.md` is made from these classes."""
