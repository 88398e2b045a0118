"""What an operator chooses: every setting with its reason, how it is read, and what may not go together."""
