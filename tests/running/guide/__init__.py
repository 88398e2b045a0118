"""The files of docs/services.md, saved and run as they stand."""
