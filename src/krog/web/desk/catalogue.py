"""Who read what is not public: the access log, for digital officers and administrators."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from krog.base.errors import Forbidden
from krog.catalogue import door, reads
from krog.web import downloads
from krog.web.components.tables import offers
from krog.web.request import Request

#: Accesses on the page.
SHOWN = 200


@offers(downloads.access_list)
def accesses(request: Request) -> HttpResponse:
    """The newest accesses, of one dataset when the address names it."""
    reader = request.reader
    if not reader.roles & {"digital_officer", "administrator"}:
        raise Forbidden(_("The access log is read by digital officers and administrators."))
    grant = door.open(reader, "desk", kind="catalogue")
    dataset = request.GET.get("dataset", "")[:100]
    rows = [
        {"time": time, "who": who, "purpose": purpose, "datasets": keys.split(), "address": address}
        for time, who, purpose, keys, address in reads.accesses(grant, dataset or None, SHOWN)
    ]
    return render(
        request,
        "desk/catalogue/accesses.html",
        {"rows": rows, "dataset": dataset, "datasets": reads.datasets(grant), "shown": SHOWN},
    )


urlpatterns = [path("accesses/", accesses, name="desk-catalogue-accesses")]
