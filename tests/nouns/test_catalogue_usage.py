"""Use of services: marks of forms count once, and nothing is kept about people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base import times
from krog.base.grant import Access, Grant
from krog.catalogue import models, reads, usage
from krog.people.permissions import SYSTEM

pytestmark = pytest.mark.django_db

GRANT = Grant(SYSTEM, "compute", {"service-use": Access("service-use")})
EVER = (date(2000, 1, 1), date(2100, 1, 1))


def _all(service="", channel=""):
    return [
        (u.service, u.channel, u.language, u.started, u.finished, u.abandoned)
        for u in reads.service_use(GRANT, *EVER, service, channel)
    ]


def test_a_form_counts_as_started_and_once_as_finished():
    mark = usage.start("report:pothole", channel="web", language="sl")
    assert _all() == [("report:pothole", "web", "sl", 1, 0, 1)]
    assert usage.finish(mark, "report:pothole")
    assert not usage.finish(mark, "report:pothole")
    assert _all() == [("report:pothole", "web", "sl", 1, 1, 0)]


@given(st.text(max_size=700))
def test_no_text_but_a_mark_finishes_anything(text):
    assert not usage.finish(text, "report:pothole")
    assert not models.ServiceUse.objects.exists()


def test_a_mark_finishes_its_own_service_alone():
    mark = usage.start("report:pothole", channel="web", language="sl")
    assert not usage.finish(mark, "proposal:call") and not usage.finish(mark[:-1], "report:pothole")
    assert usage.finish(mark, "report:pothole")


def test_what_is_a_day_old_is_abandoned(monkeypatch):
    from django.core import signing

    mark = usage.start("follow", channel="web", language="en")
    now = signing.time.time()
    with monkeypatch.context() as patch:
        patch.setattr(signing.time, "time", lambda: now + usage.OPEN_S + 60)
        assert not usage.finish(mark, "follow")
    assert _all() == [("follow", "web", "en", 1, 0, 1)]


def test_a_form_open_over_midnight_is_finished_on_the_day_it_was_started(monkeypatch):
    mark = usage.start("follow", channel="web", language="sl")
    day = reads.service_use(GRANT, *EVER)[0].day
    monkeypatch.setattr(usage, "_today", lambda: day + timedelta(days=1))
    assert usage.finish(mark, "follow")
    assert [(u.day, u.started, u.finished) for u in reads.service_use(GRANT, *EVER)] == [(day, 1, 1)]


def test_counts_are_told_apart_by_channel_and_kind():
    usage.once("report:pothole", channel="phone", language="sl")
    usage.once("report:light", channel="paper", language="sl")
    usage.once("search", channel="web", language="sl", finished=False)
    assert _all("report") == [("report:light", "paper", "sl", 1, 1, 0), ("report:pothole", "phone", "sl", 1, 1, 0)]
    assert _all(channel="web") == [("search", "web", "sl", 1, 0, 1)]


def test_without_the_dataset_nothing_leaves():
    usage.once("search", channel="web", language="sl")
    assert reads.service_use(Grant(SYSTEM, "portal"), *EVER) == []


@pytest.mark.parametrize("service", ["", "Report", "report:", "a" * 60, "report:č", "report:x y", "x\x00"])
def test_a_name_that_is_no_service_is_an_error(service):
    with pytest.raises(ValueError, match="not the name"):
        usage.once(service, channel="web", language="sl")
    with pytest.raises(ValueError, match="not one of"):
        usage.once("search", channel="fax", language="sl")


def test_marks_that_have_run_out_are_forgotten(monkeypatch):
    usage.finish(usage.start("follow", channel="web", language="sl"), "follow")
    assert usage.forget_spent() == 0
    later = times.now() + 2 * times.DAY
    monkeypatch.setattr(usage.times, "now", lambda: later)
    assert usage.forget_spent() == 1
    assert not models.SpentToken.objects.exists() and _all()


def test_pages_write_their_counts_together(django_assert_num_queries):
    waiting = usage._Waiting()
    waiting.wait = True
    place = usage._place("search", "web", "sl")
    with django_assert_num_queries(0):
        for _ in range(50):
            waiting.add(place, "started")
        waiting.add(place, "finished")
    waiting.flush()
    waiting.flush()
    assert _all() == [("search", "web", "sl", 50, 1, 49)]


def test_nothing_about_who_it_was_is_kept():
    columns = {field.name for field in models.ServiceUse._meta.fields} | {
        f.name for f in models.SpentToken._meta.fields
    }
    assert columns == {"id", "day", "service", "channel", "language", "started", "finished", "digest", "issued"}
