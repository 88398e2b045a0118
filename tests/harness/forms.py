"""Find the hidden fields of our pages' forms."""

import re

import httpx


def csrf_in(page: httpx.Response) -> str:
    """Return the CSRF token in the forms of a page; raises IndexError for a page without one."""
    return re.findall(r'name="csrf" value="([0-9a-f]{96})"', page.text)[0]


def once_in(page: httpx.Response) -> str:
    """Return the field `once` of a page, by which the server tells that page from the same page in another browser."""
    return re.findall(r'name="once" value="([0-9a-f]{32})"', page.text)[0]
