"""Vestibule over HTTP. `routes` lists every URL, a line for each; `application` makes FastAPI routes of them."""
