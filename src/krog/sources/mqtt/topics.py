"""Topics: `krog/<datastream key>`, and the filters that a subscriber may ask for."""

from __future__ import annotations

PREFIX = "krog/"


def key_of(topic: str) -> str | None:
    """The datastream's key of a topic, or None where the topic is none of Krog's."""
    return topic[len(PREFIX) :] if topic.startswith(PREFIX) and len(topic) > len(PREFIX) else None


def is_filter(text: str) -> bool:
    """Whether the text may be a filter: + fills a level, # stands alone at the end."""
    levels = text.split("/")
    return bool(text) and all(
        (level in ("+", "#") or ("+" not in level and "#" not in level)) and (level != "#" or index == len(levels) - 1)
        for index, level in enumerate(levels)
    )


def has_wildcard(text: str) -> bool:
    return "+" in text or "#" in text


def matches(filter: str, topic: str) -> bool:
    """Whether a topic falls under a filter (MQTT 5, section 4.7)."""
    wanted, given = filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or level not in ("+", given[index]):
            return False
    return len(wanted) == len(given)
