"""Faults: real servers under load, broken in every way of the matrix, and what must hold afterwards.

`make faults` runs it and writes docs/reliability.md. A cell is one line of the matrix: `cells` has the table.
`stand` is the real thing being broken (two `vestibule serve`, PostgreSQL, Redis, a mail server, proxies between);
`load` uses it as people do and keeps a ledger of what was acknowledged; `audit` holds the ledger against the truth.
"""
