"""Who may do what: the roles, and the one question that every verb asks first."""

from __future__ import annotations

from django.utils.translation import gettext as _

from krog.base.errors import Forbidden
from krog.base.grant import Reader

#: Every role there is, and what it stands for.
ROLES = {
    "anonymous": "anybody, not signed in",
    "citizen": "a person known by e-mail",
    "clerk": "enters for a person by phone, desk or paper",
    "official": "works in an office of the city",
    "operator": "runs a utility or a part of the city",
    "planner": "keeps the plan",
    "digital_officer": "keeps the catalogue and its rules",
    "administrator": "keeps accounts and keys",
    "sensor": "a program that sends observations",
    "system": "Krog itself",
}

#: Roles of people who work for the city.
STAFF = frozenset({"clerk", "official", "operator", "planner", "digital_officer", "administrator"})

SYSTEM = Reader(kind="system", name="Krog", roles=frozenset({"system"}))


def is_staff(reader: Reader) -> bool:
    """Whether the reader works for the city, or is Krog itself."""
    return bool(reader.roles & STAFF) or reader.kind == "system"


def may(by: Reader, *roles: str, office: str | None = None) -> bool:
    """Whether `by` has one of the roles (and belongs to the office, if one is given)."""
    if by.kind == "system" or "administrator" in by.roles:
        return True
    return bool(by.roles & set(roles)) and (office is None or office in by.offices)


def leads(by: Reader, office: str) -> bool:
    """Whether `by` is head of the office (or deputy, or stands in for one of them)."""
    return bool(office) and office in by.leads


def require_over(by: Reader, office: str, *roles: str, what: str = "") -> None:
    """As `require` for the roles, but the head of the office may too."""
    if not leads(by, office):
        require(by, *roles, what=what)


def require(by: Reader, *roles: str, office: str | None = None, what: str = "") -> None:
    """Raises Forbidden unless `may`; `what` says what was wanted, as in "close this case"."""
    if may(by, *roles, office=office):
        return
    allowed = _("one of these roles: %(roles)s") % {"roles": ", ".join(roles) or "administrator"}
    if office:
        allowed += " · " + _("in the office %(office)s") % {"office": office}
    raise Forbidden(
        _("You may not do this with this account."),
        extra={"wanted": what},
        allowed=allowed,
        todo=_("Sign in with an account that may.") if by.is_anonymous else _("Ask your administrator for the role."),
    )
