"""The protocol between Vestibule and the services behind it: one reader for both sides (docs/protocol/README.md).

`access_tokens` reads and judges tokens, `credentials` and `cookies` find them in a request, `other_sites` tells who
made a browser send it, `revocations` remembers what ended before its tokens did, `refusals` has the words for saying
no. Nothing here does I/O, reads a clock or knows a framework.
"""
