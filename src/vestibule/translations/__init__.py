"""What letters and pages say, in every language: one gettext catalogue each, as text, beside this file."""
