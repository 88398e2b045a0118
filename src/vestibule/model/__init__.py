"""The nouns and their rules: accounts, sessions, tokens, keys, letters; and, as protocols, what storage must promise.

Pure: no I/O, no framework, no ambient time, no lock and no loop. Depends on `protocol` and `crypto` alone.
"""
