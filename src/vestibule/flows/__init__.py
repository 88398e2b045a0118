"""The verbs: one module for each thing that a person, an operator or a background loop does.

No HTTP, no SQL, no `now()`. A flow opens its own transaction. The flow decides inside the transaction and raises after
it, so that a refusal does not roll back what has to be recorded. Every face (JSON API, pages, command line) uses these.
"""
