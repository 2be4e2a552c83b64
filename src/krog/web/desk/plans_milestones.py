"""Milestones at the planner's desk: of the whole plan, late ones first, and of one node with everything one may do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from krog.base.errors import Conflict, Invalid, NotFound
from krog.base.text import say
from krog.catalogue import door
from krog.engine.cities import city
from krog.people import reads as people
from krog.people.permissions import leads, may
from krog.plans import milestones, reads
from krog.web.components.paging import offset_of, pager
from krog.web.desk.plans_forms import add_errors
from krog.web.portal import plans_words as words
from krog.web.request import Request

LIMIT = 100
_DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")


class MilestoneForm(forms.Form):
    """A milestone of a node, its title in each language of the city."""

    due = forms.DateField(label=lazy("Due"), required=False, widget=_DAY)
    office = forms.ChoiceField(label=lazy("Responsible office"), required=False)
    note = forms.CharField(label=lazy("Note"), required=False, max_length=5000)

    def __init__(self, *args: Any, languages: list[str], offices: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        titles = {
            f"title_{language}": forms.CharField(
                label=_("Title (%(language)s)") % {"language": language}, max_length=500, required=not place
            )
            for place, language in enumerate(languages)
        }
        self.fields = {**titles, **self.fields}
        self.languages = languages
        choice = self.fields["office"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", "–"), *offices]

    def content(self) -> dict[str, Any]:
        """The fields as the verb takes them."""
        given = self.cleaned_data
        title = {each: given[f"title_{each}"] for each in self.languages if given[f"title_{each}"]}
        return {"title": title, "due": given["due"], "office": given["office"], "note": given["note"]}


def listing(request: Request, plan: str) -> HttpResponse:
    """The milestones of a plan by day; only the late ones with `late=1`."""
    grant = door.open(request.reader, "desk")
    tree = reads.tree(grant, plan)
    late = request.GET.get("late") == "1"
    found = milestones.milestones(grant, plan, late=late)
    offset = offset_of(request)
    page = found[offset : offset + LIMIT]
    offices = {office.key: office.title for office in people.offices(grant)}
    day = milestones.today()
    return render(
        request,
        "desk/plans/milestones.html",
        {
            "plan": tree.plan,
            "late": late,
            "rows": [
                {
                    "milestone": each,
                    "node": tree.nodes.get(each.node),
                    "late": each.late(day),
                    "office": offices.get(each.office or (n.office if (n := tree.nodes.get(each.node)) else "")),
                }
                for each in page
            ],
            "pager": pager(request, shown=len(page), total=len(found), limit=LIMIT, offset=offset),
            "crumbs": _crumbs(tree.plan, (_("Milestones"), "")),
        },
    )


def _crumbs(plan: Any, *more: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"title": _("Plan"), "href": reverse("desk-plans-list")},
        {"title": str(say(plan.title, get_language() or "sl")), "href": reverse("desk-plans-table", args=[plan.key])},
        *({"title": title, "href": href} for title, href in more),
    ]


def node(request: Request, plan: str, key: str) -> HttpResponse:
    """The milestones of a node: add, change the day, say that one is done, take one out."""
    by = request.reader
    grant = door.open(by, "desk")
    one = reads.node(grant, plan, key)
    offices = [(each.key, str(say(each.title, get_language() or "sl"))) for each in people.offices(grant)]
    adding = request.POST.get("act") == "add"
    form = MilestoneForm(
        request.POST if adding else None,
        languages=list(city.current().languages),
        offices=offices,
        initial={"office": one.office},
    )
    if request.method == "POST" and (done := _act(request, plan, key, form, adding)):
        return done
    day = milestones.today()
    return render(
        request,
        "desk/plans/node_milestones.html",
        {
            "node": one,
            "form": form,
            "may": may(by, "planner") or leads(by, one.office),
            "rows": [
                {"milestone": each, "late": each.late(day), "office": dict(offices).get(each.office, "")}
                for each in milestones.milestones(grant, plan, [key])
            ],
            "today": day,
            "crumbs": _crumbs(
                reads.plan(grant, plan),
                (_("Milestones"), reverse("desk-plans-milestones", args=[plan])),
                (words.title(one), ""),
            ),
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def _act(request: Request, plan: str, key: str, form: MilestoneForm, adding: bool) -> HttpResponse | None:
    by = request.reader
    here = HttpResponseRedirect(reverse("desk-plans-node-milestones", args=[plan, key]))
    if adding:
        if not form.is_valid():
            return None
        try:
            milestones.add_milestone(by, plan=plan, node=key, **form.content())
        except (Invalid, Conflict, NotFound) as error:
            add_errors(form, error)
            return None
        messages.success(request, _("The milestone was added."))
        return here
    which, act = request.POST.get("milestone", ""), request.POST.get("act", "")
    if act == "remove":
        milestones.remove_milestone(by, milestone=which)
    elif act in ("done", "due"):
        field = forms.DateField(required=act == "done")
        try:
            day = field.clean(request.POST.get("day", ""))
        except forms.ValidationError as error:
            raise Invalid(_("“%(value)s” is not a day.") % {"value": request.POST.get("day", "")}, "day") from error
        milestones.change_milestone(by, milestone=which, fields={"done_on" if act == "done" else "due": day})
    elif act == "open":
        milestones.finish_milestone(by, milestone=which, on=None)
    else:
        raise Invalid(_("The form does not say what to do."), "act")
    return here


urlpatterns = [
    path("plans/<str:plan>/milestones", listing, name="desk-plans-milestones"),
    path("plans/<str:plan>/milestones/<str:key>", node, name="desk-plans-node-milestones"),
]
