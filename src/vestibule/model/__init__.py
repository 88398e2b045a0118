"""The nouns of the field and their rules: accounts, sessions, tokens, keys, letters, and what a store promises.

Pure: no I/O, no framework, no ambient time, no lock and no loop. Depends on `protocol` and `crypto` alone.
"""
