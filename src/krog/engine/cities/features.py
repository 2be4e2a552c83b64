"""Reads the features of a GeoJSON text, each with the line that it begins in."""

from __future__ import annotations

import json
import re
from typing import Any

from krog.engine.cities.findings import Finding, finding


def features(name: str, text: str) -> tuple[list[tuple[int, dict[str, Any]]], list[Finding]]:
    """The features of the file `name` with their lines, and what is wrong with it."""

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is not a number that JSON knows")

    try:
        document = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        return [], [finding(f"This is not JSON: {error.msg} (column {error.colno}).", name, error.lineno)]
    except RecursionError:
        return [], [finding("The file is nested too deeply.", name)]
    except ValueError as error:
        return [], [finding(f"This is not JSON: {error}.", name)]
    given = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection" or not isinstance(given, list):
        return [], [finding("This is not GeoJSON.", name, 1, allowed="a FeatureCollection with features")]
    result, found = [], []
    for line, (number, feature) in zip(_lines(text, len(given)), enumerate(given), strict=True):
        if isinstance(feature, dict) and feature.get("type") == "Feature":
            result.append((line, feature))
        else:
            found.append(finding("This is not a GeoJSON feature.", name, line, f"feature {number + 1}"))
    return result, found


def _lines(text: str, count: int) -> list[int]:
    """The line that each feature begins in; 0 where it cannot be told."""
    decoder = json.JSONDecoder()
    match = re.search(r'"features"\s*:\s*\[', text)
    lines: list[int] = []
    at, line, counted = (match.end() if match else len(text)), 1, 0
    try:
        while len(lines) < count:
            at = re.compile(r"[\s,]*").match(text, at).end()  # type: ignore[union-attr]
            line += text.count("\n", counted, at)
            counted = at
            lines.append(line)
            _, at = decoder.raw_decode(text, at)
    except ValueError:
        pass
    return (lines + [0] * count)[:count]
