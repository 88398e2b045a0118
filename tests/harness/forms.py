"""What a form of our pages carries beside what people type."""

import re

import httpx


def csrf_in(page: httpx.Response) -> str:
    """The token that the forms of a page carry; raises IndexError for a page without one."""
    return re.findall(r'name="csrf" value="([0-9a-f]{96})"', page.text)[0]


def once_in(page: httpx.Response) -> str:
    """The field by which the first form of a page is told from the same form of another browser."""
    return re.findall(r'name="once" value="([0-9a-f]{32})"', page.text)[0]
