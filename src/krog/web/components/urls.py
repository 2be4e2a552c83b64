"""Addresses of the gallery of components, there in a demo and while developing."""

from __future__ import annotations

from django.urls import path

from krog.web.components import examples

urlpatterns = [
    path("", examples.gallery, name="components"),
    path("<slug:name>", examples.example, name="component"),
]
