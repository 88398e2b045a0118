"""Operators: who may do what, by role, by how they signed in and when; and what is left of it."""
