"""JSON that keeps the order of its keys on both engines: for what is declared in an order that people see."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class OrderedJSONField(models.JSONField):
    """JSON as it was written. PostgreSQL's `jsonb` sorts keys by their length; its `json` keeps them.

    Such a column can be read and written whole; it has no equality, so it is not for filters or groups.
    """

    def db_type(self, connection: Any) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if connection.vendor != "postgresql" or value is None or isinstance(value, models.expressions.BaseExpression):
            return super().get_db_prep_value(value, connection, prepared)
        from psycopg.types.json import Json

        return Json(value, dumps=lambda content: json.dumps(content, ensure_ascii=False))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        # psycopg reads `json` by itself, while Django has told it to leave `jsonb` alone.
        return value if isinstance(value, dict | list) else super().from_db_value(value, expression, connection)
