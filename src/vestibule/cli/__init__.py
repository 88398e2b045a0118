"""Vestibule on the command line: `serve`, `migrate`, `keys`, `users`."""
