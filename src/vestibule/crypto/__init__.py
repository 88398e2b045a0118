"""What an auditor reads: randomness, hashing, signatures and sealing, each over one well-kept library.

Knows nothing of accounts, sessions or HTTP. Everything random in Vestibule comes from `entropy`.
"""
