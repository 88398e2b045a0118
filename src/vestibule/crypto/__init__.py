"""Cryptography, for an auditor to read: randomness, password hashes, signatures and encryption, each by one library.

The modules know nothing of accounts, sessions or HTTP. Everything random in Vestibule comes from `entropy`.
"""
