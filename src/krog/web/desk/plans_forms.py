"""The forms of the planner's desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from krog.base.errors import KrogError
from krog.base.text import say
from krog.plans import fields
from krog.plans.shapes import DECISIONS, INDICATOR_ROLES, JUDGEMENTS, LINK_TYPES, Node, Plan
from krog.web.portal import plans_words as words

_DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")


def add_errors(form: forms.Form, error: KrogError) -> None:
    """Shows what a verb refused beside the field that it names, and the rest on top."""
    if not error.problems:
        form.add_error(_field(form, error.where), " ".join(part for part in (error.what, error.todo) if part))
    for problem in error.problems:
        name = _field(form, problem.where.rpartition(" ")[2])
        where = "" if name or not problem.where else f"{problem.where}: "
        form.add_error(name, where + " ".join(part for part in (problem.what, problem.allowed, problem.todo) if part))


def _field(form: forms.Form, where: str) -> str | None:
    return (
        next((name for name in form.fields if name == where or name.startswith(f"{where}_")), None) if where else None
    )


class DraftForm(forms.Form):
    label = forms.CharField(
        label=lazy("Name of the draft"), max_length=200, help_text=lazy("As the body that adopts it will call it.")
    )
    note = forms.CharField(
        label=lazy("What is it for?"), max_length=5000, required=False, widget=forms.Textarea({"rows": 3})
    )


class ReviewForm(forms.Form):
    """A review of a node."""

    judgement = forms.ChoiceField(
        label=lazy("How is it doing?"),
        widget=forms.RadioSelect,
        choices=[(code, words.JUDGEMENTS[code][1]) for code in JUDGEMENTS],
    )
    decision = forms.ChoiceField(
        label=lazy("What follows?"),
        widget=forms.RadioSelect,
        choices=[(code, words.DECISIONS[code]) for code in DECISIONS],
    )
    note = forms.CharField(
        label=lazy("Why?"),
        required=False,
        max_length=5000,
        widget=forms.Textarea,
        help_text=lazy("Public. Needed when something should change."),
    )
    on = forms.DateField(label=lazy("Day of the review"), widget=_DAY)


class NodeForm(forms.Form):
    """The fields of a node in a draft; one title and one purpose for each language of the city."""

    level = forms.ChoiceField(label=lazy("Level"), required=False)
    number = forms.CharField(label=lazy("Number"), required=False, max_length=50)
    parent = forms.ChoiceField(label=lazy("Part of the node"), required=False)
    order = forms.IntegerField(label=lazy("Place among its neighbours"), min_value=-1_000_000, max_value=1_000_000)
    office = forms.ChoiceField(label=lazy("Responsible office"), required=False)
    status = forms.ChoiceField(label=lazy("How far it is"), required=False)
    strategic = forms.BooleanField(label=lazy("Strategic"), required=False)
    horizon = forms.CharField(label=lazy("Horizon"), required=False, max_length=50)
    note = forms.CharField(label=lazy("Note"), required=False, max_length=5000, widget=forms.Textarea({"rows": 3}))
    source = forms.CharField(label=lazy("Source"), required=False, max_length=2000)
    reason = forms.CharField(
        label=lazy("Why this change?"),
        required=False,
        max_length=5000,
        help_text=lazy("Public, beside what changed."),
    )
    because = forms.ChoiceField(label=lazy("Because of"), required=False)

    def __init__(
        self,
        *args: Any,
        plan: Plan,
        languages: list[str],
        parents: list[tuple[str, str]],
        offices: list[tuple[str, str]],
        reasons: list[tuple[str, str]],
        node: Node | None = None,
        **kwargs: Any,
    ):
        kwargs["initial"] = {**_initial(node, languages), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.languages = languages
        first: dict[str, forms.Field] = {}
        if node is None:
            first["key"] = forms.CharField(
                label=_("Key"),
                max_length=100,
                help_text=_(
                    "Its name in addresses and files, for ever: small letters, digits, dots, dashes, such as u3.2.9."
                ),
            )
        for language in languages:
            first[f"title_{language}"] = forms.CharField(
                label=_("Title (%(language)s)") % {"language": language},
                max_length=500,
                required=language == languages[0],
            )
        for language in languages:
            first[f"text_{language}"] = forms.CharField(
                label=_("Purpose (%(language)s)") % {"language": language},
                required=False,
                max_length=20_000,
                widget=forms.Textarea({"rows": 4}),
            )
        self.fields = {**first, **self.fields}
        statuses = [(code, str(words.status(code))) for code in fields.NODE_STATUSES]
        if node is not None and node.status and node.status not in fields.NODE_STATUSES:
            statuses.append((node.status, str(words.status(node.status))))
        for name, choices in {
            "level": [(level.key, str(say(level.title, languages[0]))) for level in plan.levels],
            "parent": parents,
            "office": offices,
            "status": statuses,
            "because": reasons,
        }.items():
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [("", "–"), *choices]

    def node_fields(self) -> dict[str, Any]:
        """The fields as the verb takes them."""
        given = self.cleaned_data
        texts = {
            name: {language: given[f"{name}_{language}"] for language in self.languages if given[f"{name}_{language}"]}
            for name in ("title", "text")
        }
        plain = ("level", "number", "parent", "order", "office", "status", "strategic", "horizon", "note", "source")
        return {**texts, **{name: given[name] for name in plain}}


def _initial(node: Node | None, languages: list[str]) -> dict[str, Any]:
    if node is None:
        return {"order": 0}
    texts = {
        f"{name}_{language}": getattr(node, name).get(language, "")
        for name in ("title", "text")
        for language in languages
    }
    return {**texts, **{name: value for name, value in node.content().items() if name not in ("title", "text")}}


class ConsultForm(forms.Form):
    until = forms.DateField(label=lazy("Comments until"), required=False, widget=_DAY)


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=lazy("Why is it given up?"), max_length=2000)


class AdoptForm(forms.Form):
    """The adoption as the body decided it."""

    body = forms.CharField(label=lazy("Adopted by"), max_length=200, help_text=lazy("The body, such as Mestni svet."))
    on = forms.DateField(label=lazy("Adopted on"), widget=_DAY)
    gazette = forms.CharField(
        label=lazy("Published in"), max_length=200, required=False, help_text=lazy("Gazette and number.")
    )


class LinkForm(forms.Form):
    """A link from the node to another one."""

    type = forms.ChoiceField(label=lazy("Kind of link"), choices=[(code, words.LINKS[code][0]) for code in LINK_TYPES])
    target = forms.ChoiceField(label=lazy("Linked to"))

    def __init__(self, *args: Any, targets: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        choice = self.fields["target"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = targets


class IndicatorForm(forms.Form):
    """An indicator for the node."""

    indicator = forms.ChoiceField(label=lazy("Indicator"))
    role = forms.ChoiceField(
        label=lazy("Role"),
        choices=[
            (role, {"measures": lazy("measures it"), "context": lazy("is context")}[role]) for role in INDICATOR_ROLES
        ],
    )

    def __init__(self, *args: Any, indicators: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        choice = self.fields["indicator"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = indicators
