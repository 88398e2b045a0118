"""What a lone process keeps for itself instead of asking Redis."""
