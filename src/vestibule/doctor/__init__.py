"""The doctor: looks at settings, database, keys, Redis, mail, and at the server from outside. Changes nothing.

Each module looks at one thing and returns findings, also of what is well; none raises for what an operator can mend.
"""
