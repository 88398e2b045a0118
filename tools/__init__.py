"""Programs that make what is checked in: pages of `docs/`, pictures, catalogues of translations, common passwords."""
