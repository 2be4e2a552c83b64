"""Accounts and second factors: codes are good once, who is closed is out at once, nobody shuts himself out."""

from __future__ import annotations

import threading

import pytest
from django.db import close_old_connections
from hypothesis import given
from hypothesis import strategies as st

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, KrogError, NotFound
from krog.base.grant import ANONYMOUS, Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.people import accounts, factors, keys, links, totp, verbs
from krog.people.models import Account, ApiKey, Organisation, SecondFactor
from krog.people.permissions import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


# Codes: the vectors of RFC 6238, appendix B (SHA-1, the last six digits)


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
     (20000000000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_the_standard(moment, code):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.code(secret, moment // 30) == code
    assert totp.matching_step(secret, f" {code[:3]} {code[3:]} ", moment, 0) == moment // 30


def test_a_code_is_good_near_its_time_and_once():
    secret, now = totp.new_secret(), 1_800_000_000
    code = totp.code(secret, now // 30)
    assert totp.matching_step(secret, code, now + 30, 0) == totp.matching_step(secret, code, now - 30, 0) == now // 30
    assert totp.matching_step(secret, code, now + 90, 0) is None
    assert totp.matching_step(secret, code, now, now // 30) is None


@given(st.text(max_size=20))
def test_hardly_any_text_is_a_code(text):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    good = {totp.code(secret, step) for step in (59_999_999, 60_000_000, 60_000_001)}
    found = totp.matching_step(secret, text, 1_800_000_000, 0)
    assert (found is not None) == ("".join(text.split()) in good)


def test_the_address_for_the_app_escapes_the_city_and_the_account():
    found = totp.address("ABC", "a:b", "Kranj & co")
    assert found == "otpauth://totp/Kranj%20%26%20co%3Aa%3Ab?secret=ABC&issuer=Kranj%20%26%20co"


# Factors


def _now_step() -> int:
    return times.now() // times.SECOND // totp.STEP_S


@pytest.fixture()
def ana(account):
    account("ana", "official", password="a long enough one")
    return Account.objects.get(key="ana")


def _enrolled(row, step=0):
    """The secret and the recovery codes of an account whose last code is a while ago."""
    secret = totp.new_secret()
    codes = factors.enrol(row, secret=secret, code=totp.code(secret, _now_step()))
    SecondFactor.objects.update(last_step=step)
    return secret, codes


def test_a_factor_is_enrolled_with_a_right_code_only(ana):
    secret = totp.new_secret()
    with pytest.raises(Invalid, match="not right"):
        factors.enrol(ana, secret=secret, code="000000" if totp.code(secret, _now_step()) != "000000" else "111111")
    assert not factors.has(ana.pk)
    codes = factors.enrol(ana, secret=secret, code=totp.code(secret, _now_step()))
    assert len(set(codes)) == 10 == factors.left(ana.pk)
    with pytest.raises(Conflict):
        factors.enrol(ana, secret=secret, code=totp.code(secret, _now_step() + 1))
    assert journal.history(Ref("account", "ana"))[0].verb == "people.enrol-factor"


def test_neither_secret_nor_recovery_codes_lie_open_in_the_database(ana):
    secret, codes = _enrolled(ana)
    stored = str(list(SecondFactor.objects.values()))
    assert secret not in stored and not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_a_code_that_was_used_is_refused(ana):
    secret, _ = _enrolled(ana)
    code = totp.code(secret, _now_step())
    assert factors.check(ana.pk, code) == "app"
    assert factors.check(ana.pk, code) == ""
    assert factors.check(ana.pk, totp.code(secret, _now_step() - 1)) == ""


def test_a_recovery_code_signs_in_once_however_it_is_typed(ana):
    _, codes = _enrolled(ana)
    assert factors.check(ana.pk, f" {codes[0].upper().replace('-', ' ')} ") == "recovery"
    assert factors.check(ana.pk, codes[0]) == ""
    assert factors.left(ana.pk) == 9
    assert journal.history(Ref("account", "ana"))[0].verb == "people.use-recovery-code"


@given(st.text(max_size=200))
def test_no_other_text_opens_an_account(text):
    assert factors.check(10**9, text) == ""


@pytest.mark.parametrize("code", ["", "x" * 5000, "000 000 0", "-----", "١٢٣٤٥٦", "\x00"])
def test_hostile_codes_are_wrong_codes(ana, code):
    _enrolled(ana)
    assert factors.check(ana.pk, code) == ""


def test_a_factor_of_another_installation_opens_nothing(ana, monkeypatch):
    from krog.base.settings import settings

    secret, codes = _enrolled(ana)
    monkeypatch.setitem(settings()._values, "KROG_SECRET", "another")
    assert factors.check(ana.pk, totp.code(secret, _now_step())) == factors.check(ana.pk, codes[0]) == ""


def test_recovery_codes_are_renewed_against_the_app_alone(ana, reader):
    secret, old = _enrolled(ana)
    me = reader("official", id=ana.pk)
    with pytest.raises(Invalid):
        factors.renew_codes(me, code=old[0])
    new = factors.renew_codes(me, code=totp.code(secret, _now_step()))
    assert factors.check(ana.pk, old[1]) == "" and factors.check(ana.pk, new[0]) == "recovery"


def test_a_factor_is_reset_by_another_administrator_with_a_reason_and_a_mail(ana, account, reader):
    _enrolled(ana)
    boss = account("boss", "administrator")
    for who, why, error in ((reader("official"), "lost", Forbidden), (boss, "  ", Invalid)):
        with pytest.raises(error):
            factors.reset(who, account="ana", reason=why)
    factors.reset(boss, account="ana", reason="lost, called back on the office line")
    assert not factors.has(ana.pk) and Account.objects.get(key="ana").epoch == 1
    assert "reset" in journal.mails(ref=Ref("account", "ana"))[0].subject
    with pytest.raises(Conflict):
        factors.reset(boss, account="ana", reason="again")
    with pytest.raises(NotFound):
        factors.reset(boss, account="nobody", reason="x")
    _enrolled(Account.objects.get(key="boss"))
    with pytest.raises(Forbidden, match="own second factor"):
        factors.reset(boss, account="boss", reason="x")


@pytest.mark.parametrize(
    ("setting", "demo", "roles", "of_demo", "needed"),
    [
        ("", False, ["official"], False, True),
        ("", True, ["official"], False, False),
        ("required", True, ["official"], False, True),
        ("required", True, ["official"], True, False),
        ("required", False, ["official"], True, True),
        ("required", False, ["citizen"], False, False),
        ("optional", False, ["administrator"], False, False),
    ],
)
def test_who_must_have_a_second_factor(monkeypatch, setting, demo, roles, of_demo, needed):
    from krog.base.settings import settings

    monkeypatch.setitem(settings()._values, "KROG_SECOND_FACTOR", setting)
    monkeypatch.setitem(settings()._values, "KROG_DEMO", demo)
    assert factors.needed(Account(key="x", roles=roles, demo=of_demo)) is needed


# Accounts


@pytest.fixture()
def mok():
    return Organisation.objects.create(key="mok", title={"en": "City"})


def test_closing_ends_links_for_good_and_keys_by_choice(account, mok):
    boss = account("boss", "administrator")
    ana = account("ana", "administrator")
    old = links.sign("case", Ref("case", "k-1"), "ana", days=3)
    stays = keys.create(ana, title="stays", organisation="mok")
    accounts.close(boss, account="ana", reason="left")
    with pytest.raises(Forbidden):
        links.open(old, "case")
    assert keys.verify(stays.id, stays.secret)
    accounts.reopen(boss, account="ana")
    with pytest.raises(Forbidden, match="no longer active"):
        links.open(old, "case")
    Account.objects.update(closed=times.now() - 5 * times.SECOND)
    assert links.open(links.sign("case", Ref("case", "k-1"), "ana", days=3), "case").account == "ana"
    accounts.close(boss, account="ana", keys="end", reason="left again")
    assert keys.verify(stays.id, stays.secret) is None
    assert ApiKey.objects.get(key=stays.id).maker == "ana"


def test_a_key_made_by_another_account_stays(account, mok):
    boss = account("boss", "administrator")
    account("ana", "official")
    other = keys.create(boss, title="other", organisation="mok")
    accounts.close(boss, account="ana", keys="end")
    assert keys.verify(other.id, other.secret)


def test_who_may_close_and_what_is_refused(account, reader):
    boss = account("boss", "administrator")
    account("ana", "official")
    for who in (ANONYMOUS, reader("official"), reader("digital_officer")):
        with pytest.raises(Forbidden):
            accounts.close(who, account="ana")
        with pytest.raises(Forbidden):
            accounts.reopen(who, account="ana")
    with pytest.raises(Forbidden, match="own account"):
        accounts.close(boss, account="boss")
    with pytest.raises(Invalid):
        accounts.close(boss, account="ana", keys="burn")
    with pytest.raises(NotFound):
        accounts.close(boss, account="nobody")
    accounts.close(boss, account="ana")
    with pytest.raises(Conflict):
        accounts.close(boss, account="ana")


def test_sessions_are_ended_by_oneself_or_an_administrator(account, reader):
    ana = account("ana", "official")
    other = account("bor", "official")
    with pytest.raises(Forbidden):
        accounts.end_sessions(other, account="ana")
    with pytest.raises(Forbidden):
        accounts.end_sessions(reader("official", id=ana.id, kind="key"), account="ana")
    accounts.end_sessions(ana, account="ana")
    accounts.end_sessions(SYSTEM, account="ana")
    assert Account.objects.get(key="ana").epoch == 2


def test_who_is_taken_out_of_the_citys_files_is_out_for_good(account):
    from krog.base.declaration import Change
    from krog.people import providers

    ana = account("ana", "official")
    token = links.sign("case", Ref("case", "k-1"), "ana", days=3)
    declared = next(each for each in providers.DECLARATIONS if each.kind == "account")
    declared.write(SYSTEM, [Change("ana", None)])
    row = Account.objects.get(pk=ana.id)
    assert not row.is_active and row.epoch == 1
    declared.write(SYSTEM, [Change("ana", {"name": "Ana"})])
    assert Account.objects.get(pk=ana.id).is_active
    with pytest.raises(Forbidden):
        links.open(token, "case")


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Ana Š"}, {"key": ""}, {"key": "../x"}, {"name": ""}, {"name": "x" * 201}, {"email": "no"},
        {"roles": ["system"]}, {"roles": ["sensor"]}, {"roles": ["root"]}, {"offices": ["nowhere"]},
        {"organisation": "nowhere"}, {"language": "xx9"}, {"name": "a\x00b"},
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_is_not_opened(wrong, account):
    boss = account("boss", "administrator")
    with pytest.raises(Invalid):
        accounts.create(boss, **{"key": "new", "name": "New", **wrong})
    assert not Account.objects.exclude(key="boss").exists()


def test_an_account_is_opened_without_a_password_and_changed_with_its_history(account, reader, mok):
    boss = account("boss", "administrator")
    with pytest.raises(Forbidden):
        accounts.create(reader("digital_officer"), key="eva", name="Eva")
    accounts.create(boss, key="Eva", name=" Eva  Novak ", email="Eva@Example.org", roles=["official"])
    row = Account.objects.get(key="eva")
    assert (row.name, row.email, row.has_usable_password()) == ("Eva Novak", "eva@example.org", False)
    with pytest.raises(Conflict):
        accounts.create(boss, key="eva", name="Another")
    about = {"name": "Eva Novak", "email": "eva@example.org", "organisation": "mok", "offices": [], "language": "sl"}
    accounts.change(boss, account="eva", roles=["planner"], reason="moved", **about)
    entry = journal.history(Ref("account", "eva"))[0]
    assert (entry.before, entry.after) == (
        {"organisation": "", "roles": ["official"]},
        {"organisation": "mok", "roles": ["planner"]},
    )
    with pytest.raises(Forbidden, match="own role"):
        accounts.change(boss, account="boss", roles=["official"], **about)


def test_accounts_are_listed_for_administrators_with_how_they_sign_in(ana, account):
    _enrolled(ana)
    boss = account("boss", "administrator")
    grant = Grant(boss, "desk")
    found, total = accounts.listing(grant, text="AN")
    assert total == 1 and found[0].second_factor and found[0].password and found[0].last_sign_in is None
    assert [a.key for a in accounts.listing(grant, role="administrator")[0]] == ["boss"]
    accounts.close(boss, account="ana")
    assert [a.key for a in accounts.listing(grant, state="closed")[0]] == ["ana"]
    with pytest.raises(Forbidden):
        accounts.listing(Grant(ANONYMOUS, "portal"))
    with pytest.raises(NotFound):
        accounts.one(Grant(ANONYMOUS, "portal"), "ana")


@pytest.mark.django_db(transaction=True)
def test_two_who_type_the_same_code_at_the_same_moment_are_one(ana):
    secret, codes = _enrolled(ana)
    code, found = totp.code(secret, _now_step()), []

    def run(word):
        try:
            found.append(factors.check(ana.pk, word))
        except KrogError as error:
            found.append(str(error))
        close_old_connections()
        from django.db import connection

        connection.close()

    for word in (code, codes[0]):
        found.clear()
        both = [threading.Thread(target=run, args=(word,)) for _ in range(4)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert sorted(map(bool, found)) == [False, False, False, True]


def test_a_password_set_by_an_administrator_ends_what_was_open(ana):
    before = ana.get_session_auth_hash()
    verbs.set_password(SYSTEM, account="ana", password="another long one")
    assert Account.objects.get(key="ana").get_session_auth_hash() != before
