"""Tests of one room each, in the order of the package."""
