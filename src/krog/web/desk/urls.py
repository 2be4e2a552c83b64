"""Addresses of the desk; every one of them is for staff only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from krog.base.errors import Forbidden
from krog.people.permissions import is_staff
from krog.web.desk import (
    account,
    accounts,
    cases,
    catalogue,
    clerk,
    indicators,
    inspect,
    keys,
    people,
    plans,
    registers,
    rules,
    search,
    streams,
    tables,
    usage,
    voice,
    without,
    work,
)
from krog.web.request import Request
from krog.web.sign_in import ask_to_sign_in


def staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The first gate of the desk; what exactly may be done is asked in the verbs."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        reader = request.reader
        if reader.is_anonymous:
            return ask_to_sign_in(request)
        if not is_staff(reader):
            raise Forbidden(_("The desk is for people who work for the city."))
        return view(request, *args, **kwargs)

    return guarded


def _guard(pattern: URLPattern) -> URLPattern:
    return path(str(pattern.pattern), staff_only(pattern.callback), pattern.default_args, pattern.name)


urlpatterns = [
    _guard(pattern)
    for module in (
        work,
        streams,
        tables,
        registers,
        indicators,
        plans,
        cases,
        clerk,
        rules,
        search,
        voice,
        usage,
        catalogue,
        people,
        without,
        account,
        accounts,
        keys,
        inspect,
    )
    for pattern in module.urlpatterns
]
