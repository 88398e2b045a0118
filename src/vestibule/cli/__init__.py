"""The commands of `vestibule`; `commands.py` lists them."""
