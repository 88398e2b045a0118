"""Step-up: a session proves again who is there."""
