"""Applications that are built once and lent to one world after another; a tenth of a second of CPU each time."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from tests.harness.mailer import BRAND
from vestibule.flows.env import Env
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.web.application import build
from vestibule.web.client_address import ClientAddresses
from vestibule.web.pages.render import Pages
from vestibule.web.policy import WebPolicy
from vestibule.web.service import WrongKeys

Built = tuple[Policy, WebPolicy, FastAPI]
_spare: list[Built] = []
_MOST = 8


@contextmanager
def application(env: Env, web: WebPolicy, writer: Writer) -> Iterator[FastAPI]:
    """An application of these policies for this world. What is another world's is in its `state` alone; two worlds at
    once have two applications.
    """
    built = _taken(env.policy, web, writer)
    app = built[-1]
    first = dict(app.state._state)
    app.state.env, app.state.writer = env, writer
    # What an application remembers of those who asked.
    app.state.client_addresses = ClientAddresses(web.proxies, web.proxy_header)
    app.state.wrong_keys = WrongKeys()
    try:
        yield app
    finally:
        app.state._state.clear()
        app.state._state.update(first)
        _spare.append(built)
        del _spare[:-_MOST]


def _taken(policy: Policy, web: WebPolicy, writer: Writer) -> Built:
    for number, (of_policy, of_web, _) in enumerate(_spare):
        if (of_policy, of_web) == (policy, web):
            return _spare.pop(number)
    return policy, web, build(policy, web, Pages(BRAND, policy.language), writer)
