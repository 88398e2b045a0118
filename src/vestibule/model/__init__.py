"""The nouns of the field and their rules: accounts, sessions, tokens, keys, letters, and what a store promises.

Pure: no I/O, no framework, no ambient time. Depends on `crypto` alone.
"""
