"""Small projects that use the kit, as the guide shows them, and what type checkers say of them."""
