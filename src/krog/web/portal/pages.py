"""The city's own pages of prose, from `pages/` in its files: accessibility, privacy, about the data."""

from __future__ import annotations

import nh3
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from krog.base.errors import NotFound
from krog.base.text import say
from krog.engine.cities import city


def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page: Markdown without HTML in it, cleaned once more after rendering."""
    found = city.page(name)
    if found is None:
        raise NotFound(_("There is no page “%(name)s”.") % {"name": name}, "page")
    language = get_language() or ""
    title, text = say(found.title, language), say(found.text, language)
    html = nh3.clean(MarkdownIt("commonmark", {"html": False}).enable("table").render(text.value))
    return render(request, "portal/text.html", {"title": title.value, "html": mark_safe(html), "lang": text.lang})


urlpatterns = [path("pages/<slug:name>", page, name="portal-page")]
