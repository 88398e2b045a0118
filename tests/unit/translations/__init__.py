"""What letters and pages say, collected, and whether every language says it."""
