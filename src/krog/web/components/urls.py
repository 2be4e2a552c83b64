"""Addresses of the gallery of components."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
