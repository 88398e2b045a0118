"""The documents are tested like the code: generated pages are current, the README runs, nothing is left out."""
