"""The JSON API: what goes in (`bodies`), what comes out (`answers`), and one handler for each route between."""
