"""Faults: break real servers under load, in each way of the fault matrix, and check what must hold afterwards.

`make faults` runs all of it and writes docs/reliability.md. A cell is one line of the matrix: `cells` has the table.
`stand` starts what is broken (two `vestibule serve`, PostgreSQL, Redis, a mail server, and a proxy before each); `load`
uses it as people do, and writes into the `ledger` what was acknowledged; `audit` then compares that with the servers.
"""
