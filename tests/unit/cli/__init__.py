"""The program as people start it: a real process, in an empty folder, with nothing in its environment."""
