"""Addresses of pages by noun and key, empty where no such page exists: a link never leads nowhere."""

from __future__ import annotations

from functools import lru_cache

from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.translation import get_language


def named(name: str, *args: str) -> str:
    """The address of a page by its name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def of(*parts: str) -> str:
    """The address of a thing, `of("indicators", "k3.1")`, in the page's language."""
    address = f"/{get_language()}/{'/'.join(parts)}"
    return address if _exists(f"/{get_language()}/{'/'.join([*parts[:-1], 'x'])}") else ""


@lru_cache(maxsize=200)
def _exists(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
