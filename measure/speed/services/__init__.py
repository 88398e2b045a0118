"""Services behind Vestibule: what the kit costs them, beside PyJWT where that does the same."""
