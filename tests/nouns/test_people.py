"""People: keys, links, roles, accounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Forbidden, Invalid, NotFound, Unauthenticated
from krog.base.grant import ANONYMOUS, Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.people import keys, links, permissions, reads, verbs
from krog.people.models import Account, Organisation
from krog.people.permissions import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture()
def mok():
    return Organisation.objects.create(key="mok", title={"sl": "Mestna občina"})


def test_a_key_is_known_by_its_secret_until_it_is_revoked(mok):
    new = keys.create(SYSTEM, title="gateway", organisation="mok")
    found = keys.verify(new.id, new.secret)
    assert found and found.kind == "key" and found.organisation == "mok" and "sensor" in found.roles
    assert keys.verify(new.id, new.secret + "x") is None
    assert keys.verify_bearer(f"Bearer {new.bearer}") == found
    keys.revoke(SYSTEM, key=new.id)
    assert keys.verify(new.id, new.secret) is None
    with pytest.raises(NotFound):
        keys.revoke(SYSTEM, key=new.id)


def test_no_secret_is_stored_anywhere(mok):
    new = keys.create(SYSTEM, title="gateway", organisation="mok")
    assert new.secret not in str(list(keys.models.ApiKey.objects.values()))
    assert new.secret not in str([(e.before, e.after) for e in journal.recent()])


def test_only_administrators_make_keys_and_only_with_known_roles(mok, reader):
    with pytest.raises(Forbidden):
        keys.create(reader("operator"), title="x", organisation="mok")
    with pytest.raises(Invalid, match="no role"):
        keys.create(reader("administrator"), title="x", organisation="mok", roles=("root",))
    with pytest.raises(Invalid, match="no role"):
        keys.create(reader("administrator"), title="x", organisation="mok", roles=("system",))
    with pytest.raises(NotFound):
        keys.create(reader("administrator"), title="x", organisation="nobody")


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer a.b", "Basic a.b", "Bearer .", "x" * 5000])
def test_a_wrong_authorization_header_is_refused_with_what_to_do(header):
    with pytest.raises(Unauthenticated, match="krog key create"):
        keys.verify_bearer(header)


def test_a_link_acts_as_its_account_for_its_purpose_alone(account):
    account("ana", "operator", offices=("vodovod",))
    token = links.sign("case", Ref("case", "k-1"), "ana", days=3)
    found = links.open(token, "case")
    assert (found.ref, found.reader.kind, found.reader.offices) == (Ref("case", "k-1"), "link", {"vodovod"})
    with pytest.raises(Forbidden, match="something else"):
        links.open(token, "indicator-value")
    for wrong in ("", "x", token[:-2], token.upper(), "é~ß", token + "~1"):
        with pytest.raises(Forbidden):
            links.open(wrong, "case")


def test_a_link_ends_with_its_days_and_with_the_account(account, monkeypatch):
    account("ana", "operator")
    token = links.sign("case", Ref("case", "k-1"), "ana", days=3)
    later = links.times.now() + 4 * links.times.DAY
    with monkeypatch.context() as patch:
        patch.setattr(links.times, "now", lambda: later)
        with pytest.raises(Forbidden, match="run out"):
            links.open(token, "case")
    Account.objects.update(is_active=False)
    with pytest.raises(Forbidden, match="no longer active"):
        links.open(token, "case")


@given(st.sets(st.sampled_from(sorted(permissions.ROLES))), st.sampled_from(sorted(permissions.STAFF)))
def test_require_lets_through_exactly_who_has_the_role(roles, wanted):
    from krog.base.grant import Reader

    who = Reader(kind="account", id=1, roles=frozenset(roles))
    allowed = wanted in roles or "administrator" in roles
    assert permissions.may(who, wanted) is allowed
    assert permissions.may(who, wanted, office="vodovod") is ("administrator" in roles)


def test_addresses_of_people_are_for_staff(account, reader):
    account("ana", "operator", offices=("vodovod",))
    outside, inside = Grant(ANONYMOUS, "portal"), Grant(reader("official"), "desk")
    assert reads.people(outside) == [] and reads.role_holder(outside, "vodovod") is None
    with pytest.raises(NotFound):
        reads.person(outside, "ana")
    assert reads.role_holder(inside, "vodovod").email == "ana@example.org"
    assert reads.role_holder(inside, "other") is None


def test_a_person_reads_himself_and_a_key_with_his_number_does_not(account, reader):
    ana = account("ana", "citizen")
    assert reads.person(Grant(ana, "portal"), "ana").email == "ana@example.org"
    with pytest.raises(NotFound):
        reads.person(Grant(reader("sensor", kind="key", id=ana.id), "api"), "ana")


def test_who_has_left_is_not_found_any_more(account):
    account("ana", "operator", offices=("vodovod",))
    Account.objects.update(is_active=False)
    with pytest.raises(NotFound):
        reads.person(Grant(permissions.SYSTEM, "mail"), "ana")


def test_a_password_is_set_by_oneself_or_an_administrator_and_must_be_good(account, client):
    ana = account("ana", "operator")
    bor = account("bor", "operator")
    with pytest.raises(Forbidden):
        verbs.set_password(bor, account="ana", password="a long enough one")
    with pytest.raises(Invalid):
        verbs.set_password(ana, account="ana", password="short")
    verbs.set_password(ana, account="ana", password="a long enough one")
    assert client.login(username="ANA@example.org", password="a long enough one")
    assert not client.login(username="ana", password="another long one")
