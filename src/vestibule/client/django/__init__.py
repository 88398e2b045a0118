"""Django: a middleware that makes `request.user` the caller, and guards for views.

    VESTIBULE = {"url": "https://auth.example.com", "service_key": "vsk_…"}
    MIDDLEWARE = [..., "vestibule.client.django.VestibuleMiddleware"]

    @signed_in
    def orders(request: HttpRequest) -> JsonResponse: return JsonResponse({"mine": caller_of(request).id})

`VESTIBULE["users"]` says what a role means to Django (`rules.py`); its other members are arguments of `Verifier`. No
model and no table is needed; `backend.py` maps callers to a project's own user model.
"""

from vestibule.client.django.guards import require_level, require_permission, require_recent, signed_in, with_role
from vestibule.client.django.middleware import VestibuleMiddleware
from vestibule.client.django.requests import caller_of, refused, token_of
from vestibule.client.django.settings import verifier
from vestibule.client.django.users import Nobody, VestibuleUser

__all__ = [
    "Nobody",
    "VestibuleMiddleware",
    "VestibuleUser",
    "caller_of",
    "refused",
    "require_level",
    "require_permission",
    "require_recent",
    "signed_in",
    "token_of",
    "verifier",
    "with_role",
]
