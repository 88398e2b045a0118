"""Letters, in Django: a whole site in one file."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from vestibule.client.django import caller_of, signed_in

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["vestibule.client.django.VestibuleMiddleware"],
    VESTIBULE={"url": os.environ["VESTIBULE_URL"], "service_key": os.environ["SERVICE_KEY"]},
)


@signed_in
def letters(request: HttpRequest) -> JsonResponse:
    """The caller's letters."""
    return JsonResponse({"letters of": caller_of(request).id})


urlpatterns = [path("", letters)]
app = get_wsgi_application()
