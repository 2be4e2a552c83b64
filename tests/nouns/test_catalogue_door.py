"""The only way out: what a reader is granted, and that it never widens."""

from __future__ import annotations

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Forbidden
from krog.base.grant import ANONYMOUS, Access, Grant, Reader, Rule
from krog.catalogue import access_log, door, policy
from krog.catalogue.shapes import Dataset
from krog.people.permissions import ROLES

FIELDS = {"reference": {"access": "public"}, "reporter": {"access": "restricted"}, "office": {"access": "official"}}


def test_a_dataset_that_is_not_open_is_not_in_the_grant(dataset, reader):
    dataset("open", noun="streams")
    dataset("inner", noun="streams", access="official")
    dataset("secret", noun="streams", access="restricted", roles=["operator"])
    dataset("other", noun="cases")
    assert door.open(ANONYMOUS, "portal", kind="streams").keys == {"open"}
    assert door.open(reader("official"), "desk", kind="streams").keys == {"open", "inner"}
    assert door.open(reader("operator"), "desk", kind="streams").keys == {"open", "inner", "secret"}
    with pytest.raises(Forbidden, match="secret"):
        door.open(ANONYMOUS, "api", datasets=["open", "secret"])
    with pytest.raises(ValueError, match="purpose"):
        door.open(ANONYMOUS, "curiosity", kind="streams")


def test_a_closed_dataset_closes_within_a_second_everywhere(dataset, reader):
    dataset("open", noun="streams")
    assert "open" in door.open(ANONYMOUS, "portal", kind="streams")
    dataset("open", noun="streams", access="restricted")
    assert "open" not in door.open(ANONYMOUS, "portal", kind="streams")


def test_a_grant_worked_out_while_the_policy_changes_is_not_remembered(dataset, monkeypatch):
    dataset("open", noun="streams")
    real = door.access

    def interrupted(reader, about):
        monkeypatch.setattr(door, "access", real)
        found = real(reader, about)
        dataset("open", noun="streams", access="restricted")
        assert "open" not in door.open(ANONYMOUS, "portal", kind="streams")
        return found

    monkeypatch.setattr(door, "access", interrupted)
    door.open(ANONYMOUS, "portal", kind="streams")
    assert "open" not in door.open(ANONYMOUS, "portal", kind="streams")


def test_fields_and_rows_for_the_public_are_fewer(dataset, reader):
    dataset("cases", noun="cases", fields=FIELDS, public_rows={"field": "public", "op": "=", "value": True})
    seen = door.open(ANONYMOUS, "portal", kind="cases").datasets["cases"]
    assert seen.fields == {"reference"} and seen.rows == (Rule("public", "=", True),)
    inside = door.open(reader("official"), "desk", kind="cases").datasets["cases"]
    assert inside.fields == {"reference", "office"} and inside.rows == ()
    assert door.open(reader("administrator"), "desk", kind="cases").datasets["cases"].fields is None


def test_reading_what_is_not_public_is_written_down_once_per_request(dataset, reader):
    dataset("open", noun="streams")
    dataset("inner", noun="streams", access="official")
    before = len(access_log.recent(1000))
    access_log.begin()
    door.open(ANONYMOUS, "portal", kind="streams")
    door.open(reader("official", name="Ana"), "desk", kind="streams")
    door.open(reader("official", name="Ana"), "desk", datasets=["inner"])
    access_log.flush("/desk/streams")
    rows = access_log.recent(1000)
    assert len(rows) == before + 1
    assert rows[0][1:] == ("Ana", "desk", "inner", "/desk/streams")


datasets = st.builds(
    Dataset,
    key=st.just("d"),
    noun=st.just("cases"),
    title=st.just({}),
    description=st.just({}),
    organisation=st.sampled_from(["", "mok"]),
    office=st.just(""),
    steward=st.just(""),
    licence=st.just(""),
    access=st.sampled_from(policy.LEVELS),
    roles=st.lists(st.sampled_from(sorted(ROLES)), max_size=2).map(tuple),
    personal=st.booleans(),
    frequency=st.just(""),
    source=st.just(""),
    fields=st.dictionaries(st.sampled_from("abc"), st.fixed_dictionaries({"access": st.sampled_from(policy.LEVELS)})),
    public_rows=st.sampled_from([{}, {"field": "public", "op": "=", "value": True}]),
)


def _wider(a: Access | None, b: Access | None) -> bool:
    """Whether a shows anything that b does not."""
    if a is None:
        return False
    if b is None:
        return True
    more_fields = b.fields is not None and (a.fields is None or not a.fields <= b.fields)
    return more_fields or (bool(b.rows) and not a.rows)


@given(datasets, st.sets(st.sampled_from(sorted(set(ROLES) - {"system"}))))
def test_the_public_never_sees_more_than_anybody_who_is_signed_in(found, roles):
    found = Dataset(**{**found.__dict__, "roles": tuple(r for r in found.roles if r != "anonymous")})
    someone = Reader(kind="account", id=1, roles=frozenset({"anonymous", *roles}), organisation="mok")
    assert not _wider(policy.access(ANONYMOUS, found), policy.access(someone, found)) or found.access == "restricted"
    if found.access != "public":
        assert policy.access(ANONYMOUS, found) is None


@given(datasets)
def test_a_restricted_field_is_never_public(found):
    found = Dataset(**{**found.__dict__, "roles": ()})
    given_access = policy.access(ANONYMOUS, found)
    if given_access is not None and given_access.fields is not None:
        assert all(found.fields[name]["access"] == "public" for name in given_access.fields)


def test_a_row_rule_on_an_unknown_column_lets_nothing_through():
    grant = Grant(ANONYMOUS, "portal", {"d": Access("d", rows=(Rule("hidden", "=", True),))})
    assert door.where(grant, {}) == Q(dataset__in=[]) | (Q(dataset="d") & Q(pk__in=[]))
