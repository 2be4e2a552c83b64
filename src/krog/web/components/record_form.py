"""The form of a record, made from its register's declared fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from krog.base.errors import Invalid
from krog.registers import crs, validity
from krog.registers.schema import Field
from krog.registers.shapes import Record, Register
from krog.web.components import formats
from krog.web.components.record_view import choice_title, language, title_of

#: What stands before the names of declared fields, so that they never meet the form's own.
PREFIX = "value-"


class NumberField(forms.FloatField):
    """A number with a decimal point or comma, whichever the person writes; it is shown as the language writes it.
    There are no marks for thousands, so that 14.347 is never taken for fourteen thousand."""

    widget = forms.TextInput

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}

    def to_python(self, value: Any) -> Any:
        return super().to_python(("" if value is None else str(value)).strip().replace("−", "-").replace(",", "."))

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int | float):
            return str(value).replace(".", formats.writing(language()).decimal)
        return value


class RecordForm(forms.Form):
    """Declared fields first, then place and validity, then the reason. What a value may be is decided by the verb;
    its answer comes back to the fields by `tell`."""

    def __init__(self, register: Register, record: Record | None, data: Any = None):
        super().__init__(data, initial=_initial(register, record))
        self.register = register
        for field in register.fields:
            self.fields[PREFIX + field.name] = _control(field)
        if register.geometry == "point":
            self.fields["crs"] = forms.ChoiceField(
                label=_("Coordinates in"),
                required=False,
                choices=[
                    (crs.WGS84, _("degrees (WGS84)")),
                    *((one.code, _("metres (%(system)s)") % {"system": one.name}) for one in crs.SYSTEMS.values()),
                ],
            )
            self.fields["lon"] = NumberField(
                label=_("Longitude or e"),
                required=False,
                help_text=_("East: in degrees, for example 14.3475, or in metres, for example 449702"),
            )
            self.fields["lat"] = NumberField(
                label=_("Latitude or n"),
                required=False,
                help_text=_("North: in degrees, for example 46.2741, or in metres, for example 125742"),
            )
        elif register.has_geometry:
            self.fields["geometry"] = forms.JSONField(label=_("Place (GeoJSON)"), required=False)
        for name, label in (("valid_from", _("Valid from")), ("valid_to", _("Valid to"))):
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=40,
                help_text=_("A day such as 2026-05-12; empty where it is not known"),
            )
        if record is None:
            self.fields["key"] = forms.CharField(
                label=_("Key"),
                required=False,
                max_length=100,
                help_text=_("Small letters, digits, . _ -; empty: one is made of the title"),
            )
        else:
            self.fields["seen"] = forms.IntegerField(widget=forms.HiddenInput)
        self.fields["reason"] = forms.CharField(
            label=_("What is this change based on?"),
            required=False,
            max_length=500,
            help_text=_("Stands in the history; only people who work for the city see it."),
        )

    def values(self) -> dict[str, Any]:
        """The values as the register's types want them; empty ones are None."""
        found: dict[str, Any] = {}
        for field in self.register.fields:
            value = self.cleaned_data.get(PREFIX + field.name)
            if field.type == "boolean":
                value = {"true": True, "false": False}.get(str(value))
            elif field.type == "choices":
                value = value or None
            elif field.type == "date" and value:
                value = value.isoformat()
            found[field.name] = None if value in ("", None) else value
        return found

    def geometry(self) -> Mapping[str, Any] | None:
        """The place as GeoJSON, or None."""
        lon, lat = self.cleaned_data.get("lon"), self.cleaned_data.get("lat")
        if lon is not None or lat is not None:
            return {"type": "Point", "coordinates": [lon, lat], "crs": self.cleaned_data.get("crs")}
        found: Mapping[str, Any] | None = self.cleaned_data.get("geometry")
        return found or None

    def tell(self, error: Invalid) -> None:
        """Puts each mistake that a verb named beside its field, what belongs to none on top."""
        for problem in error.problems:
            name = PREFIX + problem.where if PREFIX + problem.where in self.fields else problem.where
            if name == "geometry" and "lon" in self.fields:
                name = "lon"
            words = f"{problem.what} {_('Allowed')}: {problem.allowed}." if problem.allowed else problem.what
            self.add_error(name if name in self.fields else None, words)
        if not error.problems:
            self.add_error(None, error.what)


def _initial(register: Register, record: Record | None) -> dict[str, Any]:
    if record is None:
        return {}
    found: dict[str, Any] = {PREFIX + name: value for name, value in record.values.items()}
    for field in register.fields:
        if field.type == "boolean" and field.name in record.values:
            found[PREFIX + field.name] = "true" if record.values[field.name] else "false"
    if record.geometry and record.geometry["type"] == "Point":
        found["lon"], found["lat"] = record.geometry["coordinates"]
    elif record.geometry:
        found["geometry"] = json.loads(json.dumps(record.geometry))
    return {
        **found,
        "seen": record.version,
        "valid_from": validity.write(record.valid_from),
        "valid_to": validity.write(record.valid_to),
    }


def _control(field: Field) -> forms.Field:
    unit = formats.unit(field.unit, language())
    label = f"{title_of(field)} ({unit})" if unit else title_of(field)
    common: dict[str, Any] = {"label": label, "required": field.required}
    if field.type == "number":
        return NumberField(**common)
    if field.type == "integer":
        return forms.IntegerField(**common)
    if field.type == "date":
        return forms.DateField(
            **common, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), input_formats=["%Y-%m-%d"]
        )
    if field.type == "boolean":
        options = [("", _("not known")), ("true", _("yes")), ("false", _("no"))]
        return forms.ChoiceField(**common, choices=options)
    if field.type == "choice":
        empty = [] if field.required else [("", _("not known"))]
        options = [(choice, choice_title(field, choice)) for choice in field.choices or {}]
        return forms.ChoiceField(**common, choices=[*empty, *options])
    if field.type == "choices":
        options = [(choice, choice_title(field, choice)) for choice in field.choices or {}]
        return forms.MultipleChoiceField(**common, choices=options, widget=forms.CheckboxSelectMultiple)
    if field.type == "record":
        help_text = _("The key of a record of the register “%(register)s”") % {"register": field.register}
        return forms.CharField(**common, max_length=100, help_text=help_text)
    if field.type == "url":
        return forms.CharField(**common, max_length=2000, widget=forms.URLInput)
    long = field.name in ("note", "notes", "description", "remark")
    return forms.CharField(**common, max_length=5000, widget=forms.Textarea if long else forms.TextInput)
