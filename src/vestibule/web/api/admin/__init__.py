"""The admin API: a thin handler for each route, and what the routes answer."""
