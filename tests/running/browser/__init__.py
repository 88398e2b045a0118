"""Pages in a real browser, against a real server: Chromium, led by Playwright."""
