"""The request as views get it: with the reader that the middleware found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from krog.base.grant import Reader


class Request(HttpRequest):
    """Only for types; at run time it is Django's request with `reader` set by `middleware.reader`."""

    reader: Reader
    offers: Sequence[Any]
