"""Lend applications to one world after another. To build one takes a tenth of a second of CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from fastapi import FastAPI
from starlette.types import ASGIApp

from tests.harness.mailer import BRAND
from vestibule.flows.env import Env
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.web.application import build_app, make_site
from vestibule.web.layers.order import add_layers
from vestibule.web.pages.template_loader import Templates
from vestibule.web.site import Site
from vestibule.web.web_policy import WebPolicy

Built = tuple[Policy, WebPolicy, FastAPI]
_spare: list[Built] = []
_MOST = 8


@contextmanager
def application(env: Env, web: WebPolicy, writer: Writer) -> Iterator[ASGIApp]:
    """Yield an application with the policies of this world, and every layer that the server has. Only its `site`
    belongs to the world, and is taken out after the block. Two worlds at the same time have two applications.
    """
    templates = _templates_in(env.policy.language)
    site = make_site(env.policy, web, env.clock, templates, writer, env)
    built = _taken(site)
    inner = built[-1]
    inner.state.site = site
    try:
        yield add_layers(inner, site)
    finally:
        del inner.state.site
        _spare.append(built)
        del _spare[:-_MOST]


def _taken(site: Site) -> Built:
    for number, (of_policy, of_web, _) in enumerate(_spare):
        if (of_policy, of_web) == (site.policy, site.web):
            return _spare.pop(number)
    return site.policy, site.web, build_app(site)


@cache
def _templates_in(language: str) -> Templates:
    return Templates(BRAND, language)
