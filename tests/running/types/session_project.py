"""A program with a person's session."""

from pathlib import Path

import httpx

from vestibule.client import InFile, Session

session = Session("https://auth.example.com", InFile(Path("session.json")))
session.sign_in("ada@example.com", "correct horse")
print(httpx.get("https://orders.example.com/", auth=session).status_code)
