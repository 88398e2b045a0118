"""All cryptography, in one place for an auditor: randomness, password hashes, signatures, encryption and strict JSON.

Libraries do the work. The modules know nothing of accounts, sessions or HTTP. All randomness in Vestibule comes from
`entropy`.
"""
