"""Each primitive against the numbers its standard prints, and each of our uses against who would bend it."""
