"""My work and the centres."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
