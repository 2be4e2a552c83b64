"""`/api/v1/`: one API of all nouns, its OpenAPI document at `/api/v1/openapi.json`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError
from ninja.openapi.schema import OpenAPISchema

import krog
from krog.base.errors import KrogError, Problem, invalid
from krog.base.origin import ORIGINS
from krog.web import problems
from krog.web.api import cases, catalogue, indicators, people, plans, registers, rules, search, streams, usage, voice

#: Observations are taken by the ingest process, not by Django; the document tells of them all the same.
OBSERVATIONS: dict[str, Any] = {
    "post": {
        "tags": ["observations"],
        "operationId": "post_observations",
        "summary": "Send one observation or a list of them; each is durable before it is acknowledged",
        "description": "`time` is ISO 8601 with an offset, now if left out; `unit`, if given, the datastream's own. "
        "A list is answered with one receipt for each, in the same order; what was set aside names its `reason`.",
        "security": [{"key": []}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/Observation"},
                            {"type": "array", "items": {"$ref": "#/components/schemas/Observation"}},
                        ]
                    },
                    "example": {"datastream": "zone-inflow", "value": 21.5},
                }
            },
        },
        "responses": {
            "201": {"description": "Stored; of a list, all of it"},
            "202": {"description": "Of a list, some is stored; the receipts say which"},
            "400": {"description": "Not accepted: `detail` says why, `reason` in one word; kept for an operator"},
            "401": {"description": "The key is missing, wrong or no longer in use"},
            "403": {"description": "The key may not send to this datastream"},
            "429": {"description": "Too much at a time; `Retry-After` says how long to wait"},
        },
    }
}
OBSERVATION: dict[str, Any] = {
    "title": "Observation",
    "type": "object",
    "required": ["datastream", "value"],
    "properties": {
        "datastream": {"type": "string", "description": "Key of the datastream"},
        "value": {"description": "A number; text or JSON where the datastream is not numeric"},
        "time": {"type": "string", "format": "date-time"},
        "unit": {"type": "string", "description": "UCUM code, such as m3/h"},
        "supersedes": {"type": "integer", "description": "Id of the observation that this one corrects"},
        "origin": {"type": "string", "enum": list(ORIGINS)},
    },
}


class OpenApi(NinjaAPI):
    """The API of the nouns, whose document also tells of the observations."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        document["paths"] = {"/api/v1/observations": OBSERVATIONS, **document["paths"]}
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Observation"] = OBSERVATION
        components.setdefault("securitySchemes", {})["key"] = {"type": "http", "scheme": "bearer"}
        return document


api = OpenApi(
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
    ("usage", usage),
    ("datasets", catalogue),
    ("people", people),
    ("search", search),
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
