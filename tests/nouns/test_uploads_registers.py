"""A register comes back as a table: looked at, accepted in one transaction, undone as one."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.ids import Ref
from krog.catalogue import door
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.registers import reads as registers
from krog.registers import verbs as register_verbs
from krog.tables import workbook
from krog.tables.columns import MARK, Table, mark_of
from krog.uploads import reads, verbs
from krog.uploads.kinds import KINDS
from tests import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
REGISTER = KINDS["register"]


@pytest.fixture()
def ana(account):
    registry.town(access="public")
    register_verbs.declare_records(
        SYSTEM,
        changes=[registry.record(key, name=name) for key, name in (("dom", "Dom"), ("sola", "Šola"), ("vrt", "Vrtec"))],
    )
    return account("ana", "official", offices=("vodovod",))


def _file(by, edit=None) -> bytes:
    """The register as the desk gives it, with the cells that `edit` changes: {key: {name: value}}, None for a row
    that is deleted, "" for a new one."""
    columns = REGISTER.columns(by, "points", "en")
    rows = [{**row, MARK: mark_of(columns, row)} for row in REGISTER.current(by, "points").values()]
    for key, change in (edit or {}).items():
        if key == "":
            rows.append(change)
        elif change is None:
            rows = [row for row in rows if row["key"] != key]
        else:
            next(row for row in rows if row["key"] == key).update(change)
    return b"".join(workbook.pieces(Table("points", "Points", columns), rows, "en", "Europe/Ljubljana"))


def _bring(by, data):
    upload, found = verbs.bring(by, kind="register", target="points", data=data, file_name="points.xlsx", language="en")
    assert found.mistakes == []
    return upload, reads.difference(door.open(by, "desk", datasets=[]), upload)


def _record(key):
    return registers.record(door.open(SYSTEM, "desk", kind="registers"), "points", key)


def test_what_was_downloaded_changes_nothing(ana):
    _upload, found = _bring(ana, _file(ana))
    assert (found.changes, found.same) == ((), 3)


def test_the_chosen_rows_are_changed_with_a_reason_and_taken_back_as_one(ana):
    new = {"name": "Knjižnica", "kind": "home", "lon": 14.35, "lat": 46.24, "valid_from": "2026-01-01"}
    upload, found = _bring(ana, _file(ana, {"dom": {"capacity": 9.5, "lon": 14.36}, "vrt": None, "": new}))
    assert [(c.kind, c.key) for c in found.changes] == [("changed", "dom"), ("added", ""), ("removed", "vrt")]
    assert _record("dom").values["capacity"] == 2.5
    with pytest.raises(Invalid, match="based on"):
        verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason=" ")
    assert verbs.accept(ana, upload=upload.key, lines=None, removed={"vrt"}, reason="inspection") == 3
    assert _record("dom").values["capacity"] == 9.5
    assert _record("dom").geometry["coordinates"] == [14.36, 46.2741]
    assert _record("points-knjiznica").valid_from
    assert _record("vrt").retired
    entry = journal.history(Ref("record", "dom"), 1)[0]
    assert (entry.verb, entry.who, entry.reason) == ("registers.upload", "ana", "inspection")
    with pytest.raises(Conflict):
        verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="twice")
    assert verbs.undo(ana, upload=upload.key) == 3
    assert _record("dom").values["capacity"] == 2.5
    assert _record("dom").geometry["coordinates"] == [14.3475, 46.2741]
    assert not _record("vrt").retired
    assert _record("points-knjiznica").retired


def test_rows_that_are_not_in_the_file_stay_unless_they_are_ticked(ana):
    upload, _found = _bring(ana, _file(ana, {"vrt": None, "dom": {"people": 5}}))
    verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="count")
    assert not _record("vrt").retired
    assert _record("dom").values["people"] == 5


def test_two_who_edit_the_same_row_learn_of_it_and_the_second_decides(ana):
    data = _file(ana, {"dom": {"people": 99}, "sola": {"people": 7}})
    register_verbs.change_record(SYSTEM, key="dom", seen=_record("dom").version, values={"people": 50})
    register_verbs.change_record(SYSTEM, key="vrt", seen=_record("vrt").version, values={"people": 1})
    upload, found = _bring(ana, data)
    assert {(c.kind, c.key) for c in found.changes} == {("conflict", "dom"), ("changed", "sola")}
    assert found.kept == 1
    verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="count")
    assert (_record("dom").values["people"], _record("sola").values["people"]) == (50, 7)


def test_what_moves_between_looking_and_accepting_is_refused_as_a_whole(ana):
    upload, _found = _bring(ana, _file(ana, {"dom": {"people": 99}, "sola": {"people": 7}}))
    register_verbs.change_record(SYSTEM, key="dom", seen=_record("dom").version, values={"people": 50})
    with pytest.raises(Conflict) as refused:
        verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="count")
    assert [problem.where for problem in refused.value.problems] == ["dom"]
    assert _record("sola").values["people"] == 12
    assert _record("dom").values["people"] == 50


def test_an_upload_is_not_undone_over_what_somebody_changed_since(ana):
    upload, _found = _bring(ana, _file(ana, {"dom": {"people": 99}, "sola": {"people": 7}}))
    verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="count")
    register_verbs.change_record(SYSTEM, key="sola", seen=_record("sola").version, values={"people": 8})
    with pytest.raises(Conflict) as refused:
        verbs.undo(ana, upload=upload.key)
    assert [problem.where for problem in refused.value.problems] == ["sola"]
    assert _record("dom").values["people"] == 99


def test_rows_that_the_register_refuses_are_all_named_and_nothing_changes(ana):
    upload, _found = _bring(
        ana, _file(ana, {"dom": {"lon": 999.0}, "sola": {"people": 7}, "": {"name": "A", "web": "ftp://x"}})
    )
    with pytest.raises(Invalid) as refused:
        verbs.accept(ana, upload=upload.key, lines=None, removed=set(), reason="count")
    assert len(refused.value.problems) == 2
    assert _record("sola").values["people"] == 12


def test_a_table_is_brought_and_seen_only_by_those_who_keep_the_register(ana, account):
    upload, _found = _bring(ana, _file(ana, {"dom": {"people": 99}}))
    other = account("bor", "official", offices=("vodovod",))
    for refused in (
        lambda: reads.upload(door.open(other, "desk", datasets=[]), upload.key),
        lambda: verbs.accept(other, upload=upload.key, lines=None, removed=set(), reason="x"),
        lambda: verbs.drop(other, upload=upload.key),
    ):
        with pytest.raises(NotFound):
            refused()
    stranger = account("cene", "official", offices=("sport",))
    with pytest.raises(Forbidden):
        verbs.bring(stranger, kind="register", target="points", data=b"x", file_name="x", language="en")


def test_uploads_are_forgotten_with_their_files(ana):
    upload, _found = _bring(ana, _file(ana, {"dom": {"people": 99}}))
    assert list(reads.folder().glob(f"{upload.key}*"))
    assert verbs.expire(upload.expires + 1) >= 1
    assert not list(reads.folder().glob(f"{upload.key}*"))
    with pytest.raises(NotFound):
        reads.upload(door.open(ana, "desk", datasets=[]), upload.key)


def test_the_pages_lead_from_the_file_to_the_undone_upload(ana, client):
    from krog.people.models import Account

    client.force_login(Account.objects.get(key="ana"), backend="krog.people.backend.AccountBackend")
    page = "/desk/tables/register/points"
    assert "What the columns mean" in client.get(page).content.decode()
    book = load_workbook(io.BytesIO(b"".join(client.get(f"{page}?format=xlsx").streaming_content)))
    assert book.worksheets[0].max_row == 4
    template = load_workbook(io.BytesIO(b"".join(client.get(f"{page}?format=xlsx&template=1").streaming_content)))
    assert template.worksheets[0].max_row == 1
    wrong = client.post(page, {"file": io.BytesIO(b"Key,Name\ndom,")})
    assert wrong.status_code == 400
    assert "B2" in wrong.content.decode()
    assert client.post(page, {"file": io.BytesIO(b"%PDF-1")}).status_code == 400
    book.worksheets[0]["B2"] = "<b>Nov dom</b>"
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    sent = client.post(page, {"file": file})
    assert sent.status_code == 302
    shown = client.get(sent["Location"]).content.decode()
    assert "&lt;b&gt;Nov dom&lt;/b&gt;" in shown
    refused = client.post(sent["Location"], {"act": "accept", "line": "2"})
    assert refused.status_code == 400
    assert "based on" in refused.content.decode()
    assert client.post(sent["Location"], {"act": "accept", "line": "2", "reason": "r"}).status_code == 302
    assert _record("dom").values["name"] == "<b>Nov dom</b>"
    assert "Undo the whole upload" in client.get(sent["Location"]).content.decode()
    assert client.post(sent["Location"], {"act": "undo"}).status_code == 302
    assert _record("dom").values["name"] == "Dom"
