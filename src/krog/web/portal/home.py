"""The first page of the portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from krog.web.portal import ground


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html", {})


urlpatterns = [path("", home, name="portal-home"), *ground.urlpatterns]
