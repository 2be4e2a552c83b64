"""`/api/v1/`: one API of all nouns, its OpenAPI document at `/api/v1/openapi.json`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError

import krog
from krog.base.errors import KrogError, Problem, invalid
from krog.web import problems
from krog.web.api import cases, catalogue, indicators, people, plans, registers, rules, streams, voice

api = NinjaAPI(
    title="Krog Open API",
    version=krog.__version__,
    openapi_url="/openapi.json",
    docs_url=None,
    urls_namespace="api",
    description="Everything that the portal shows, for programs. Keys: `Authorization: Bearer <key>`. "
    "Errors are application/problem+json. Observations are posted to /api/v1/observations.",
)
for name, module in (
    ("streams", streams),
    ("registers", registers),
    ("indicators", indicators),
    ("plans", plans),
    ("cases", cases),
    ("rules", rules),
    ("voice", voice),
    ("datasets", catalogue),
    ("people", people),
):
    api.add_router(f"/{name}", module.router)
api.add_router("/territories", people.territories)
api.add_router("/things", streams.things_router)


@api.exception_handler(KrogError)
def krog_error(request: HttpRequest, error: KrogError) -> HttpResponse:
    return problems.render(request, error)


@api.exception_handler(ValidationError)
def validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = [Problem(e["msg"], ".".join(str(part) for part in e["loc"])) for e in error.errors]
    return problems.render(request, invalid(found, "The request is not of the allowed form."))
