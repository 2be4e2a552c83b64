"""The pages as a WSGI application."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
_pages = get_wsgi_application()

from krog.catalogue import usage  # noqa: E402 - Django must be ready

usage.write_in_background()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The answer of the pages, given when the whole request is read: one that is refused early would otherwise find
    the public port still sending it, which then could not tell the refusal from a failure."""
    answer = _pages(environ, start_response)
    while environ["wsgi.input"].read(65_536):
        pass
    return answer
