"""Services behind Vestibule: what the kit costs them, and what PyJWT costs for the same."""
