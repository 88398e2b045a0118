"""The texts of letters and pages in other languages: one gettext catalogue (`.po`) for each language."""
