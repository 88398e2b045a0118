"""Passwords, and guessing them: sections 1 and 2 of the requirements, each test named after its row."""
