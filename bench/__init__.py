"""What Vestibule's documentation claims about speed, as a command: `make bench`."""
