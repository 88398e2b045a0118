"""What the HTTP face promises of itself: its document, its docs page, and who may make a browser ask."""
