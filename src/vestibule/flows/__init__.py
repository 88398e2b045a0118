"""The verbs: one module for each thing somebody does, readable as the sentence that describes it.

No HTTP, no SQL, no `now()`. A flow opens its own transaction, decides inside it and refuses outside it, so
that a refusal never takes back what it had to write down. Every face (JSON API, pages, command line) uses these.
"""
