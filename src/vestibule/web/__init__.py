"""Vestibule over HTTP. `routes` lists every URL on one screen; `application` makes FastAPI routes of them."""
