"""Django and REST framework, beyond what the guide shows."""

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from vestibule.client import Caller
from vestibule.client import rest_framework as for_rest
from vestibule.client.django import (
    VestibuleUser,
    caller_of,
    require_level,
    require_recent,
    signed_in,
    verifier,
    with_role,
)
from vestibule.client.django.backend import VestibuleBackend


@signed_in
async def me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"id": caller_of(request).id, "user": str(await request.auser())})


@with_role("admin", "editor")
def order(request: HttpRequest, number: int) -> HttpResponse:
    user = request.user
    return HttpResponse(f"{number} of {user.role if isinstance(user, VestibuleUser) else user}")


@require_level(2)
@require_recent(300)
async def transfer(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"{number} at level {caller_of(request).level}")


@permission_required("shop.view_order", raise_exception=True)
def orders(request: HttpRequest) -> HttpResponse:
    caller_of(request).require("admin")
    return HttpResponse(f"{verifier().age}")


class Backend(VestibuleBackend):
    def user_of(self, caller: Caller) -> User | None:
        return User.objects.filter(username=caller.id).first()


class Orders(APIView):
    authentication_classes = (for_rest.VestibuleAuthentication,)
    permission_classes = (IsAuthenticated, IsAdminUser, for_rest.with_role("admin"), for_rest.require_recent(300))

    def get(self, request: Request, number: int) -> Response:
        return Response({"of": for_rest.caller_of(request).id, "number": number, "user": str(request.user)})
