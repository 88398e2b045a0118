"""The JSON API: request bodies (`bodies`), response bodies (`answers`), and a handler for each route."""
