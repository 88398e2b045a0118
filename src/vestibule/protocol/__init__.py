"""The protocol between Vestibule and the services behind it: one reader for both sides (docs/protocol/README.md).

`access_tokens` reads and judges tokens, `credentials` and `cookies` find them in a request, `other_sites` tells which
site caused it, `revocations` remembers ended sessions and accounts, `refusals` has the texts of refusals. Nothing here
does I/O, reads a clock or knows a framework.
"""
