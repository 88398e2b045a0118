"""The console for operators: pages below /admin."""
