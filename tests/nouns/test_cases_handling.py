"""Cases: opened through one door, handled by their office, read by whoever may."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import translation
from PIL import Image

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from krog.base.grant import ANONYMOUS, Reader
from krog.base.settings import settings
from krog.cases import mails, models, photos, reads, shapes, verbs
from krog.catalogue import door
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from tests.nouns.cases_world import World, world

__all__ = ["world"]

ANA = shapes.NewReporter("Ana Novak", "ana@example.org", "041 111 222")


def grant(reader: Reader, purpose: str = "desk") -> Any:
    return door.open(reader, purpose, kind="cases")


def report(**about: Any) -> shapes.Opened:
    given = {
        "type": "pothole",
        "channel": "web",
        "description": "Velika luknja pri Novakovih.",
        "place": "Mlaka 5",
        "reporter": ANA,
        **about,
    }
    return verbs.open(ANONYMOUS, **given)


def test_a_citizens_report_reaches_its_office_and_is_confirmed(world: World) -> None:
    opened = report()
    case = reads.case(grant(world.stranger), opened.key)
    assert (case.office, case.status, case.opened_by, case.channel) == ("ceste", "new", "citizen", "web")
    assert case.deadline - case.opened == 24 * times.HOUR
    to = {mail.to: mail for mail in journal.mails()}
    assert set(to) == {"rok@example.org", "ana@example.org"}
    assert opened.address in to["ana@example.org"].text
    assert "Velika luknja" in to["rok@example.org"].text
    assert "/cases/link/" in to["rok@example.org"].text
    assert "ana@example.org" not in to["rok@example.org"].text


def test_what_is_wrong_with_a_report_is_told_at_once_and_nothing_is_opened(world: World) -> None:
    with pytest.raises(Invalid) as error:
        verbs.open(SYSTEM, type="nothing", channel="pigeon", severity="urgent", lon=1.0)
    assert {problem.where for problem in error.value.problems} == {"type", "channel", "protocol", "lon, lat"}
    with pytest.raises(Forbidden):
        verbs.open(ANONYMOUS, type="leak", channel="web")
    with pytest.raises(Invalid):
        report(severity="important")
    assert models.Case.objects.count() == 0
    assert journal.mails() == []


def test_sending_a_form_twice_opens_one_case(world: World) -> None:
    first, second = report(once="form:1"), report(once="form:1")
    assert (first.key, first.code) == (second.key, second.code)
    assert second.again
    assert len(journal.mails()) == 2


def test_numbers_follow_and_secret_addresses_cannot_be_counted_up(world: World) -> None:
    one, two = report(), report()
    assert int(two.reference[-6:]) == int(one.reference[-6:]) + 1
    assert one.code != two.code
    with pytest.raises(NotFound):
        reads.status(grant(ANONYMOUS, "portal"), f"{one.key}-{two.code}")


def test_only_its_office_may_act(world: World, reader: Any) -> None:
    key = world.leak()
    until = times.now() + times.DAY
    acts = [
        lambda by: verbs.take(by, key=key),
        lambda by: verbs.assign(by, key=key, account="oto"),
        lambda by: verbs.wait(by, key=key, waiting_for="x"),
        lambda by: verbs.snooze(by, key=key, until=until),
        lambda by: verbs.reply(by, key=key, text="x"),
        lambda by: verbs.tick(by, key=key, step=0),
        lambda by: verbs.publish(by, key=key, public=True),
        lambda by: verbs.close(by, key=key, outcome="x"),
        lambda by: verbs.decline(by, key=key, reason="x"),
    ]
    for act in acts:
        for nobody in (world.stranger, ANONYMOUS, reader("citizen", id=77), reader("sensor", kind="key")):
            with pytest.raises(Forbidden):
                act(nobody)
    assert reads.case(grant(world.operator), key).status == "new"
    for act in acts[:-1]:
        act(world.operator)
    assert reads.case(grant(world.operator), key).status == "done"
    with pytest.raises(Forbidden):
        verbs.reopen(world.stranger, key=key, reason="x")


def test_the_second_who_takes_a_case_is_told_who_has_it(world: World) -> None:
    key = world.leak()
    verbs.take(world.operator, key=key)
    verbs.take(world.operator, key=key)
    with pytest.raises(Conflict) as error:
        verbs.take(world.other, key=key)
    assert "Olga Operater" in str(error.value)
    assert reads.case(grant(world.operator), key).assignee == "olga"
    assert [entry.verb for entry in journal.history(_ref(key))] == ["cases.take", "cases.open"]


def _ref(key: str) -> Any:
    from krog.base.ids import Ref

    return Ref("case", key)


@pytest.mark.django_db(transaction=True)
def test_two_take_the_same_case_at_the_same_moment(world: World) -> None:
    key = world.leak()
    start, ends = threading.Barrier(2), []

    def take(by: Reader) -> None:
        start.wait()
        try:
            verbs.take(by, key=key)
            ends.append(by.name)
        except Conflict as error:
            ends.append(error.extra["who"])
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(by,)) for by in (world.operator, world.other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ends)) == 1
    assert reads.case(grant(world.operator), key).assignee_name == ends[0]


@pytest.mark.django_db(transaction=True)
def test_reports_at_the_same_moment_get_different_numbers(world: World) -> None:
    start, keys = threading.Barrier(4), []

    def send() -> None:
        start.wait()
        try:
            keys.append(report().key)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 4


def test_work_stands_in_its_tab(world: World) -> None:
    mine, free, waits, later = (world.leak() for _ in range(4))
    verbs.take(world.operator, key=mine)
    verbs.wait(world.operator, key=waits, waiting_for="izvajalca")
    verbs.snooze(world.operator, key=later, until=times.now() + times.DAY)
    models.Case.objects.filter(key=free).update(deadline=times.now() - times.HOUR)

    def tab(name: str) -> set[str]:
        page = reads.work(grant(world.operator), name, me=["olga"], offices=["vodovod"])
        assert page.total == len(page.items)
        return {item.key for item in page.items}

    assert tab("mine") == {mine}
    assert tab("unassigned") == {free}
    assert tab("waiting") == {waits, later}
    assert free in tab("today")
    counts = reads.work_counts(grant(world.operator), me=["olga"], offices=["vodovod"])
    assert (counts["mine"], counts["unassigned"], counts["waiting"], counts["overdue"]) == (1, 1, 2, 1)
    assert reads.work(grant(world.stranger), "unassigned", me=["rok"], offices=["ceste"]).total == 0
    assert reads.work(grant(ANONYMOUS, "portal"), "open", me=[], offices=["vodovod"]).total == 0


def test_a_case_is_closed_once_and_can_be_reopened_with_a_reason(world: World) -> None:
    opened = report()
    with pytest.raises(Invalid):
        verbs.close(world.stranger, key=opened.key, outcome="  ")
    verbs.close(world.stranger, key=opened.key, outcome="Zakrpano.")
    with pytest.raises(Conflict) as error:
        verbs.decline(world.stranger, key=opened.key, reason="Ne.")
    assert "Rok Ceste" in str(error.value)
    for act in (
        verbs.take,
        lambda by, key: verbs.wait(by, key=key, waiting_for="x"),
        lambda by, key: verbs.tick(by, key=key, step=0),
    ):
        with pytest.raises(Conflict):
            act(world.stranger, key=opened.key)
    verbs.reopen(world.stranger, key=opened.key, reason="Luknja je spet tu.")
    with pytest.raises(Conflict):
        verbs.reopen(world.stranger, key=opened.key, reason="Še enkrat.")
    case = reads.case(grant(world.stranger), opened.key)
    assert (case.status, case.outcome, case.closed) == ("taken", "", None)
    told = [mail.subject for mail in journal.mails() if mail.to == "ana@example.org"]
    assert len(told) == 3


def test_a_case_goes_to_another_office_or_person(world: World) -> None:
    key = world.leak()
    with pytest.raises(Invalid):
        verbs.assign(world.operator, key=key, account="rok")
    with pytest.raises(Invalid):
        verbs.assign(world.operator, key=key)
    verbs.assign(world.operator, key=key, account="oto")
    assert reads.case(grant(world.operator), key).assignee == "oto"
    assert any(mail.to == "oto@example.org" for mail in journal.mails())
    with pytest.raises(NotFound):
        verbs.assign(world.operator, key=key, office="nikjer")
    verbs.assign(world.operator, key=key, office="ceste", reason="Cesta je.")
    case = reads.case(grant(world.stranger), key)
    assert (case.office, case.assignee, case.status) == ("ceste", "", "new")
    with pytest.raises(Forbidden):
        verbs.take(world.operator, key=key)


def test_steps_of_the_protocol_are_ticked(world: World) -> None:
    key = world.leak()
    verbs.tick(world.operator, key=key, step=1)
    verbs.tick(world.operator, key=key, step=1)
    steps = reads.case(grant(world.operator), key).steps
    assert [(step.who, step.time is not None) for step in steps] == [("", False), ("Olga Operater", True)]
    verbs.tick(world.operator, key=key, step=1, done=False)
    assert all(step.time is None for step in reads.case(grant(world.operator), key).steps)
    with pytest.raises(NotFound):
        verbs.tick(world.operator, key=key, step=2)


def test_nothing_personal_is_ever_public(world: World) -> None:
    opened = report()
    verbs.reply(world.stranger, key=opened.key, text="Pridemo jutri, gospa Novak.")
    verbs.reply(world.stranger, key=opened.key, text="Interno: Ana Novak kliče vsak dan.", internal=True)
    verbs.reply(world.stranger, key=opened.key, text="Zapora ceste bo v torek.", public=True)
    public = reads.status(grant(ANONYMOUS, "portal"), opened.reference)
    for shown in (repr(public), repr(reads.public_cases(grant(ANONYMOUS, "portal")))):
        for secret in ("Novak", "ana@example.org", "041 111", "Velika luknja", "Rok Ceste", opened.code):
            assert secret not in shown
    assert "Zapora ceste" in repr(public)
    own = reads.status(grant(ANONYMOUS, "portal"), opened.address)
    assert own.own
    assert "Pridemo jutri" in repr(own)
    assert "Velika luknja" in own.description
    assert "kliče vsak dan" not in repr(own)
    with pytest.raises(NotFound):
        reads.case(grant(ANONYMOUS, "portal"), opened.key)
    # A person of another office works with the case's content, not with who reported it.
    assert reads.case(grant(world.operator), opened.key).reporter is None
    assert reads.case(grant(world.stranger), opened.key).reporter == ANA
    entries = repr(journal.recent(200))
    assert "Novak" not in entries
    assert "ana@example.org" not in entries


def test_the_public_sees_a_rounded_place_and_only_the_fields_that_are_open(world: World, dataset: Any) -> None:
    opened = report(lon=14.347512, lat=46.274098, photographs=[photos.clean(picture())])
    [photo] = reads.case(grant(world.stranger), opened.key).photos
    verbs.publish(world.stranger, key=opened.key, public=True, photos=frozenset({photo.id}))
    verbs.wait(world.stranger, key=opened.key, waiting_for="Gospa Novak dvigne zapornico")
    outside = grant(ANONYMOUS, "portal")
    waiting = reads.status(outside, opened.reference)
    assert [event.text for event in waiting.events if event.what == "waiting"] == [""]
    for case in (waiting, reads.public_cases(outside).items[0]):
        assert (case.lon, case.lat) == (14.348, 46.274)
    own = reads.status(outside, opened.address)
    assert (own.lon, own.lat) == (14.347512, 46.274098)
    assert "Gospa Novak" in repr(own)
    verbs.close(world.stranger, key=opened.key, outcome="Zalili smo jo pri Novakovih.")
    assert "Novakovih" in repr(reads.status(outside, opened.reference))
    fields = {"reference": {"type": "text"}, "place": {"type": "point"}, "outcome": {"access": "official"}}
    dataset("cases", noun="cases", public_rows={"field": "public", "value": True}, fields=fields)
    outside = grant(ANONYMOUS, "portal")
    assert "Novakovih" not in repr(reads.status(outside, opened.reference))
    with pytest.raises(NotFound):
        reads.photo_file(outside, opened.key, photo.id)


def test_who_reported_is_forgotten_and_what_was_reported_stays(world: World, reader: Any) -> None:
    opened, other = report(), report(once="form:other")
    verbs.receive(None, key=opened.key, text="Še nekaj.", sender="ana@example.org", message_id="<1@x>")
    officer = reader("digital_officer", id=77)
    with pytest.raises(Forbidden):
        verbs.forget_reporter(world.stranger, key=opened.key, reason="asked")
    verbs.forget_reporter(officer, key=opened.key, reason="The person asked on 1 May.")
    case = reads.case(grant(world.stranger), opened.key)
    assert (case.reporter, case.has_reporter, case.description) == (None, False, "Velika luknja pri Novakovih.")
    kept = [repr(case), *map(repr, journal.history(_ref(opened.key))), *map(repr, journal.mails(ref=_ref(opened.key)))]
    assert not [words for words in kept if "ana@" in words or "Ana Novak" in words or opened.code in words]
    assert "ana@example.org" in repr(journal.mails(ref=_ref(other.key)))
    with pytest.raises(NotFound):
        reads.status(grant(ANONYMOUS, "portal"), opened.address)
    with pytest.raises(NotFound):
        verbs.forget_reporter(officer, key=opened.key, reason="again")


def test_a_case_that_is_not_public_is_seen_only_by_its_secret_address(world: World) -> None:
    key = world.leak()
    with pytest.raises(NotFound):
        reads.status(grant(ANONYMOUS, "portal"), key)
    code = models.Case.objects.get(key=key).code
    assert reads.status(grant(ANONYMOUS, "portal"), f"{key.upper()}-{code}").own
    assert reads.public_cases(grant(ANONYMOUS, "portal")).total == 0
    verbs.publish(world.operator, key=key, public=True, note="Iščemo puščanje.")
    assert reads.status(grant(ANONYMOUS, "portal"), key).public_note == "Iščemo puščanje."


def picture(size: tuple[int, int] = (40, 20), kind: str = "JPEG", **about: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **about)
    return out.getvalue()


def test_a_photo_loses_what_the_camera_wrote_and_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[2] = (46.0, 16.0, 0.0)
    data = picture(exif=exif, comment=b"at home") + b"<script>behind the picture</script>"
    photo = photos.clean(data)
    with Image.open(io.BytesIO(photo.data)) as image:
        assert image.size == (20, 40)
        assert not image.getexif()
        assert image.format == "JPEG"
    for secret in (b"SecretPhone", b"at home", b"script"):
        assert secret not in photo.data
    assert photos.clean(picture((5000, 100), "PNG")).width == photos.MAX_SIDE


def _bomb() -> bytes:
    """A PNG that claims 30,000 × 30,000 pixels in a hundred bytes."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 999)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a photo",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"GIF89a" + b"\0" * 50,
        picture()[:200],
        picture(kind="BMP"),
        _bomb(),
        b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n",
    ],
    ids=["empty", "text", "svg", "gif", "cut", "bmp", "bomb", "postscript"],
)
def test_a_hostile_upload_is_refused_with_what_is_allowed(data: bytes) -> None:
    with pytest.raises((Invalid, TooLarge)) as error:
        photos.clean(data)
    assert error.value.where == "photo"
    assert error.value.allowed


def test_a_photo_that_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        photos.clean(b"\xff" * 12_000_001)


def test_a_photo_is_shown_once_the_office_has_looked_at_it(world: World) -> None:
    opened = report(photographs=[photos.clean(picture())])
    [photo] = reads.case(grant(world.stranger), opened.key).photos
    assert photos.path_of(reads.photo_file(grant(world.stranger), opened.key, photo.id)).read_bytes()[:2] == b"\xff\xd8"
    anonymous = grant(ANONYMOUS, "portal")
    with pytest.raises(NotFound):
        reads.photo_file(anonymous, opened.key, photo.id)
    assert reads.status(anonymous, opened.address).photos == ()
    verbs.publish(world.stranger, key=opened.key, public=True, photos=frozenset({photo.id}))
    assert reads.photo_file(anonymous, opened.key, photo.id)
    assert reads.own_photo_file(anonymous, opened.address, photo.id)
    with pytest.raises(NotFound):
        verbs.publish(world.stranger, key=opened.key, public=True, photos=frozenset({photo.id + 1}))
    for name in ("../../secret", "/etc/passwd", "cases/../../krog.sqlite"):
        with pytest.raises(NotFound):
            photos.path_of(name)


def test_a_report_that_cannot_be_opened_leaves_no_photo_behind(world: World, monkeypatch: Any) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no room")

    folder = settings().path("files") / "cases"
    before = set(folder.rglob("*.jpg"))
    monkeypatch.setattr(mails, "to_office", fail)
    with pytest.raises(OSError, match="no room"):
        report(photographs=[photos.clean(picture())])
    assert set(folder.rglob("*.jpg")) == before
    assert not models.Case.objects.exists()


def test_an_unfinished_form_keeps_its_photo_for_a_while() -> None:
    name = photos.draft(photos.clean(picture()))
    kept = photos.take_draft(name)
    assert kept is not None
    assert kept.width == 40
    assert photos.take_draft("../secret") is None
    assert photos.take_draft("A" * 22) is None


def test_refusals_and_the_answer_to_who_has_left_are_in_the_language_of_who_reads_them(world: World) -> None:
    opened = report()
    verbs.close(SYSTEM, key=opened.key, outcome="Zakrpano.")
    with translation.override("sl"), pytest.raises(Conflict) as refused:
        verbs.close(SYSTEM, key=opened.key, outcome="Še enkrat.")
    assert "že zaključil" in refused.value.what and "odprite" in refused.value.todo
    for number, language in enumerate(("sl", "en")):
        about = {"text": "DONE", "sender": f"{language}@example.org", "message_id": f"<{number}@x>"}
        assert verbs.receive(None, key=opened.key, left=language, **about).what == "left"
    subjects = {mail.to: mail.subject for mail in journal.mails() if mail.to in ("sl@example.org", "en@example.org")}
    assert "Not acted on" in subjects["en@example.org"]
    assert "Not acted on" not in subjects["sl@example.org"]
