"""The city's own pages of prose (`pages/<name>.<language>.md` in its folder): accessibility, privacy, about the data."""

from __future__ import annotations

import nh3
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from markdown_it import MarkdownIt

from krog.base.errors import NotFound
from krog.engine.cities import city


def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page: Markdown without HTML in it, cleaned once more after rendering."""
    found = city.page(name, get_language() or "")
    if found is None:
        raise NotFound(f"There is no page {name!r}.", "page")
    title, markdown, lang = found
    html = nh3.clean(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
    return render(request, "portal/text.html", {"title": title, "html": mark_safe(html), "lang": lang})


urlpatterns = [path("pages/<slug:name>", page, name="portal-page")]
