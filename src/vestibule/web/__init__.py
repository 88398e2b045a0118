"""Vestibule over HTTP. `routes` lists every URL on one screen."""
