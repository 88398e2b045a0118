"""The nouns and their rules, at their edges."""
