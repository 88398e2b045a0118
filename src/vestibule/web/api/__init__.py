"""The JSON API: request bodies (`bodies`), response bodies (`answers`), and the handlers of `routes.ROUTES`."""
