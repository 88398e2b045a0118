"""Who the operator is, and what they may do."""

from starlette.responses import Response

from vestibule.flows.admit_operator import counts_until
from vestibule.model.permissions import OF_ROLE
from vestibule.web.api import answers
from vestibule.web.api.admin import admin_answers
from vestibule.web.caller import SignedInCaller


async def admin_me(caller: SignedInCaller) -> Response:
    """Show what the caller may do as an operator, and until when the sign-in counts."""
    data = admin_answers.OperatorData(
        role=caller.account.role,
        permissions=sorted(OF_ROLE[caller.account.role]),
        signed_in_until=answers.timestamp(counts_until(caller)),
    )
    return answers.as_json(admin_answers.OperatorMe(data=data))
