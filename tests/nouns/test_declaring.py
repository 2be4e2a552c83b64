"""What files declare comes into a table in bulk: made, changed, retired, each with its entry in the journal."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from krog.base.declaration import Change
from krog.base.errors import Forbidden
from krog.base.grant import ANONYMOUS
from krog.journal.models import Entry, Payload
from krog.people import verbs
from krog.people.models import Account, Organisation
from krog.people.permissions import SYSTEM

pytestmark = pytest.mark.django_db


def declare(*changes: Change) -> None:
    verbs.declare(SYSTEM, model=Organisation, noun="organisation", changes=changes)


def test_things_are_made_changed_retired_and_come_back() -> None:
    declare(Change("a", {"title": {"en": "A"}}, "first"), Change("b", {"title": {"en": "B"}}))
    declare(Change("a", {"title": {"en": "Anew"}}, "second"), Change("b", None), Change("never", None))
    assert dict(Organisation.objects.values_list("key", "retired")) == {"a": False, "b": True}
    assert Organisation.objects.get(key="a").title == {"en": "Anew"}
    declare(Change("b", {"title": {"en": "B"}}))
    assert not Organisation.objects.get(key="b").retired


def test_the_journal_has_before_and_after_of_each() -> None:
    declare(Change("a", {"title": {"en": "A"}}, "first"))
    declare(Change("a", {"title": {"en": "Anew"}}, "second"), Change("b", {"title": {"en": "B"}}))
    declare(Change("b", None, "third"))
    kept = Payload.objects.order_by("pk").values_list("entry__key", "before", "after", "entry__reason")
    assert [*kept] == [
        ("a", None, {"title": {"en": "A"}}, "first"),
        ("a", {"title": {"en": "A"}}, {"title": {"en": "Anew"}}, "second"),
        ("b", None, {"title": {"en": "B"}}, "second"),
        ("b", {"retired": False}, None, "third"),
    ]
    assert set(Entry.objects.values_list("verb", flat=True)) == {"people.declare-organisation"}


def test_a_hundred_things_cost_hardly_more_statements_than_two() -> None:
    def cost(first: int, last: int, title: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            declare(*(Change(f"o-{number}", {"title": {"en": title}}) for number in range(first, last)))
        return len(asked)

    assert cost(100, 200, "x") <= cost(0, 2, "x") + 3
    assert cost(100, 200, "y") <= cost(0, 2, "y") + 3


def test_an_account_taken_out_of_the_files_has_no_access_any_more() -> None:
    changes = [Change("ana", {"name": "Ana", "email": "ana@example.org", "roles": []})]
    verbs.declare(SYSTEM, model=Account, noun="account", changes=changes, retired="is_active")
    epoch = Account.objects.get(key="ana").epoch
    verbs.declare(SYSTEM, model=Account, noun="account", changes=[Change("ana", None)], retired="is_active")
    row = Account.objects.get(key="ana")
    assert not row.is_active
    assert row.epoch == epoch + 1
    assert row.closed is not None


def test_who_may_not_declare_changes_nothing() -> None:
    with pytest.raises(Forbidden):
        verbs.declare(ANONYMOUS, model=Organisation, noun="organisation", changes=[Change("a", {"title": {}})])
    assert not Organisation.objects.exists()
