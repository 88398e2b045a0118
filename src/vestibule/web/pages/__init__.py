"""The face for people: HTML pages for the same flows as the API's. Complete without JavaScript."""
