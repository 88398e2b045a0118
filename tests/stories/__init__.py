"""Tests that go through the whole house: one promise each."""
