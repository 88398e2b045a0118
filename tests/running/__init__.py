"""Tests of what runs: proxies, browsers, other people's programs, upgrades."""
