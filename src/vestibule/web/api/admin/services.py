"""Handlers that list, create and revoke the keys of services for operators."""

from starlette.responses import Response

from vestibule.flows.service_keys import create_service_key, list_service_keys, revoke_service_key
from vestibule.model.operator_errors import ServiceNameInvalid, ServiceNameTaken, ServiceUnknown
from vestibule.model.service_keys import is_service_name
from vestibule.web.api import answers
from vestibule.web.api.admin import installation_answers as shown
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator


async def list_services(env: EnvDep) -> Response:
    """List the services that have a key, by name. Never shows a key."""
    listed = [shown.ListedService.of(key) for key in await list_service_keys(env)]
    return answers.as_json(shown.ListedServices(data=shown.ServicesData(services=listed)))


async def create(env: EnvDep, operator: ActingOperator, name: str) -> Response:
    """Create a key for a service and show it, this once. The database keeps a digest of it."""
    if not is_service_name(name):
        raise ServiceNameInvalid
    key = await create_service_key(env, name, operator)
    if key is None:
        raise ServiceNameTaken
    return answers.as_json(shown.ServiceCreated(data=shown.NewServiceData(name=name, key=key)), 201)


async def revoke(env: EnvDep, operator: ActingOperator, name: str) -> Response:
    """Revoke the key of a service. Its stream of revocations ends within a minute."""
    if not is_service_name(name) or not await revoke_service_key(env, name, operator):
        raise ServiceUnknown
    return answers.as_json(answers.Success())
