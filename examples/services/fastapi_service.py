"""Orders, in FastAPI."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from vestibule.client import Caller, Verifier
from vestibule.client.fastapi import CurrentUser

app = FastAPI(title="Orders")
current_user = CurrentUser(Verifier(os.environ["VESTIBULE_URL"], os.environ["SERVICE_KEY"]))


@app.get("/")
async def orders(caller: Annotated[Caller, Depends(current_user)]) -> dict[str, str]:
    """The caller's orders."""
    return {"orders of": caller.id}


@app.get("/all")
async def every_order(caller: Annotated[Caller, Depends(current_user.with_role("admin"))]) -> dict[str, str]:
    """Everybody's orders, for admins."""
    return {"orders of": "everybody", "shown to": caller.id}
