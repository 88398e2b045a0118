"""Three services behind one Vestibule: FastAPI, Flask and Django. `python -m examples.services` starts all of them."""
