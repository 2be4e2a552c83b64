"""GeoJSON for maps of many features: compact, kept while nothing has changed, asked again only by its mark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from krog.base.grant import Grant
from krog.web.request import Request

#: Seconds that an answer is kept in memory.
KEEP_S = 600

#: Longer answers are not kept: a few of them would fill the memory.
KEPT_BYTES = 3_000_000


def answer(
    request: Request, grant: Grant, state: object, make: Callable[[], tuple[list[dict[str, Any]], bool]]
) -> HttpResponse:
    """The features that `make` gives with whether they are complete; `state` moves whenever they may have changed."""
    access = sorted(repr(one) for one in grant.datasets.values())
    said = f"{request.get_full_path()} {get_language()} {state} {access}"
    mark = hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    if request.headers.get("If-None-Match", "").strip('W/"') == mark:
        response: HttpResponse = HttpResponseNotModified()
    else:
        body: bytes | None = cache.get(f"map-{mark}")
        if body is None:
            features, complete = make()
            found = {"type": "FeatureCollection", "complete": complete, "features": features}
            body = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
            if len(body) <= KEPT_BYTES:
                cache.set(f"map-{mark}", body, KEEP_S)
        response = HttpResponse(body, content_type="application/geo+json")
    response["ETag"] = f'"{mark}"'
    response["Cache-Control"] = "no-cache" if request.reader.is_anonymous else "private, no-cache"
    patch_vary_headers(response, ("Cookie",))
    return response
