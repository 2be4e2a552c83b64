"""Topics and filters, by the examples of the standard."""

from __future__ import annotations

import pytest

from krog.sources.mqtt.topics import is_filter, key_of, matches


@pytest.mark.parametrize(
    "filter, topic, holds",
    [
        ("krog/inflow", "krog/inflow", True), ("krog/inflow", "krog/inflow/a", False), ("krog/+", "krog/inflow", True),
        ("krog/+", "krog", False), ("krog/#", "krog", True), ("krog/#", "krog/a/b", True), ("#", "krog/a", True),
        ("+/+", "krog/a", True), ("+", "krog/a", False), ("+/a", "krog/a", True), ("#", "$SYS/a", False),
        ("+/a", "$SYS/a", False), ("$SYS/#", "$SYS/a", True), ("krog/inflow", "krog/inflo", False),
    ],
)  # fmt: skip
def test_a_topic_falls_under_a_filter(filter: str, topic: str, holds: bool) -> None:
    assert matches(filter, topic) is holds


@pytest.mark.parametrize("text", ["", "a#", "a/#/b", "a+/b", "#/a", "a/b+"])
def test_a_wildcard_out_of_place_is_no_filter(text: str) -> None:
    assert not is_filter(text)


@pytest.mark.parametrize("text", ["#", "+", "a/#", "+/a/+", "/", "a//b"])
def test_a_filter(text: str) -> None:
    assert is_filter(text)


def test_the_key_stands_behind_the_prefix() -> None:
    assert (key_of("krog/a"), key_of("krog/a/b"), key_of("krog/"), key_of("other/a")) == ("a", "a/b", None, None)
