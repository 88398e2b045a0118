"""Vestibule over HTTP. `routes` has the whole map on one screen."""
