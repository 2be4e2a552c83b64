"""A city's files are applied whole or not at all, again without change, beside what the desk made."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from krog.base.errors import Conflict, Invalid
from krog.cli import main
from krog.engine.cities import city
from krog.engine.cities.apply import apply
from krog.engine.cities.compare import Diff, compare
from krog.engine.cities.export import export
from krog.engine.cities.findings import mistakes
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from tests.unit.cities.fakes import CITY, Store, folder, kinds

pytestmark = pytest.mark.django_db(transaction=True)

METERS = '[[meter]]\nkey = "m1"\nplace = "p"\ninterval_s = 60\n\n[[meter]]\nkey = "m2"\ninterval_s = 60\n'
PLACES = '[[place]]\nkey = "p"\nparent = "top"\n\n[[place]]\nkey = "top"\n'


@pytest.fixture()
def store() -> Store:
    return Store()


def files(path: Path, meters: str = METERS, places: str = PLACES) -> Path:
    return folder(path, meters_toml=meters, places_toml=places, plan__rows_csv="key,meter\nr1,m1\n")


def test_files_are_applied_in_order_and_a_second_time_nothing_changes(tmp_path: Path, store: Store) -> None:
    done = apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    assert done.written
    assert done.total == 6
    order = [(kind, key) for kind, key, _ in store.asked]
    assert order == [
        ("city", "town"),
        ("place", "top"),
        ("place", "p"),
        ("meter", "m1"),
        ("meter", "m2"),
        ("row", "r1"),
    ]
    again = apply(tmp_path, SYSTEM, kinds=kinds(store))
    assert (again.written, again.diff.empty, again.total) == (False, True, 0)
    assert len(store.asked) == 6


def test_with_a_mistake_nothing_is_written(tmp_path: Path, store: Store) -> None:
    with pytest.raises(Invalid) as error:
        apply(files(tmp_path, METERS + '[[meter]]\nkey = "m3"\nplace = "gone"\n'), SYSTEM, kinds=kinds(store))
    assert str(error.value.problems[0]).startswith("meters.toml:11 meter m3, place")
    assert store.asked == []


def test_a_dry_run_and_a_no_write_nothing(tmp_path: Path, store: Store) -> None:
    path = files(tmp_path)
    assert apply(path, SYSTEM, dry_run=True, kinds=kinds(store)).total == 6
    assert not apply(path, SYSTEM, agree=lambda diff: False, kinds=kinds(store)).written
    assert store.asked == []
    assert journal.applied("meter") == {}


def test_what_the_desk_made_and_changed_stays(tmp_path: Path, store: Store) -> None:
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    store.things["meter"]["m1"]["unit"] = "m3"
    store.things["meter"]["desk"] = {"unit": "m"}
    apply(files(tmp_path, METERS.replace("60", "30")), SYSTEM, kinds=kinds(store))
    assert store.things["meter"]["m1"]["unit"] == "m3"
    assert store.things["meter"]["m1"]["interval_s"] == 30
    assert "desk" in store.things["meter"]


def test_both_sides_changed_is_a_conflict_until_one_is_taken(tmp_path: Path, store: Store) -> None:
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    store.things["meter"]["m2"]["interval_s"] = 10
    path = files(tmp_path, METERS.replace("60", "30"))
    with pytest.raises(Conflict) as error:
        apply(path, SYSTEM, kinds=kinds(store))
    assert [problem.where for problem in error.value.problems] == ["meter m2, interval_s"]
    assert "--take" in error.value.todo
    assert store.things["meter"]["m1"]["interval_s"] == 60
    apply(path, SYSTEM, take="desk", kinds=kinds(store))
    assert [store.things["meter"][key]["interval_s"] for key in ("m1", "m2")] == [30, 10]
    assert compare(path, kinds(store)).empty
    store.things["meter"]["m2"]["interval_s"] = 5
    apply(files(tmp_path, METERS.replace("60", "20")), SYSTEM, take="files", kinds=kinds(store))
    assert [store.things["meter"][key]["interval_s"] for key in ("m1", "m2")] == [20, 20]


def test_what_leaves_the_files_is_retired_children_first(tmp_path: Path, store: Store) -> None:
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    shutil.rmtree(tmp_path / "plan")
    store.asked.clear()
    apply(folder(tmp_path, meters_toml="", places_toml=""), SYSTEM, kinds=kinds(store))
    assert store.asked == [
        ("row", "r1", True),
        ("meter", "m2", True),
        ("meter", "m1", True),
        ("place", "p", True),
        ("place", "top", True),
    ]
    assert compare(tmp_path, kinds(store)).empty
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    assert set(store.things["meter"]) == {"m1", "m2"}


def test_files_may_refer_to_what_the_desk_made_but_not_to_what_they_retire(tmp_path: Path, store: Store) -> None:
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))
    store.things["place"]["desk"] = {}
    apply(files(tmp_path, METERS.replace('"p"', '"desk"')), SYSTEM, kinds=kinds(store))
    assert store.things["meter"]["m1"]["place"] == "desk"
    with pytest.raises(Invalid, match="1 mistake"):
        apply(files(tmp_path, METERS, '[[place]]\nkey = "top"\n'), SYSTEM, kinds=kinds(store))


def test_the_files_of_another_city_are_refused(tmp_path: Path, store: Store) -> None:
    apply(folder(tmp_path), SYSTEM)
    with pytest.raises(Conflict, match="belongs to the city town"):
        apply(folder(tmp_path, city_toml=CITY.replace("town", "other")), SYSTEM)


def test_a_kind_that_fails_keeps_no_base(tmp_path: Path, store: Store) -> None:
    def refuse(*_: object) -> None:
        raise Invalid("Not this meter.", "m1")

    some = kinds(store)
    object.__setattr__(some["meter"], "write", refuse)
    with pytest.raises(Invalid) as error:
        apply(files(tmp_path), SYSTEM, kinds=some)
    assert error.value.where == "meters.toml meter m1"
    assert set(journal.applied("place")) == {"p", "top"}
    assert journal.applied("meter") == {}
    apply(tmp_path, SYSTEM, kinds=kinds(store))
    assert set(store.things["meter"]) == {"m1", "m2"}


def test_export_writes_what_apply_reads_and_resets_the_base(tmp_path: Path, store: Store) -> None:
    path = files(tmp_path, "# kept\n" + METERS)
    apply(path, SYSTEM, kinds=kinds(store))
    before = (path / "meters.toml").read_text()
    assert export(path, kinds=kinds(store)).written == {}
    assert (path / "meters.toml").read_text() == before
    store.things["meter"]["m2"]["title"] = {"sl": 'En "dva"\ntri', "en": "One"}
    del store.things["row"]["r1"]
    done = export(path, kinds=kinds(store))
    assert (set(done.written), done.removed, done.is_city) == ({"meters.toml"}, ("plan/rows.csv",), True)
    diff = compare(path, kinds(store))
    assert diff.empty
    assert diff.kept == []
    assert not any(diff.bases.values())


def test_a_copy_elsewhere_leaves_the_base_of_the_city(tmp_path: Path, store: Store) -> None:
    (tmp_path / "own").mkdir()
    own = files(tmp_path / "own")
    apply(own, SYSTEM, kinds=kinds(store))
    store.things["meter"]["m2"]["interval_s"] = 5
    copy = export(tmp_path / "copy", kinds=kinds(store))
    assert not copy.is_city
    assert [change.key for change in compare(own, kinds(store)).kept] == ["m2"]
    assert compare(tmp_path / "copy", kinds(store)).empty


def test_export_never_writes_through_a_link_out_of_the_folder(tmp_path: Path, store: Store) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "out").mkdir()
    own = files(tmp_path / "own")
    apply(own, SYSTEM, kinds=kinds(store))
    shutil.rmtree(own / "plan")
    (own / "plan").symlink_to(tmp_path / "out")
    with pytest.raises(Invalid, match="leads out"):
        export(own, kinds=kinds(store))
    assert list((tmp_path / "out").iterdir()) == []


def test_the_city_is_known_to_every_page(tmp_path: Path) -> None:
    assert city.current().name == "Krog"
    text = CITY + 'title = { sl = "Mesto", en = "Town" }\ncentre = [14.3, 46.2]\n[contact]\nphone = "1"\n'
    path = folder(
        tmp_path,
        city_toml=text,
        pages__privacy_sl_md="# Zasebnost\n\nBesedilo.\n",
        pages__privacy_en_md="# Privacy\n\nText.\n",
    )
    apply(path, SYSTEM)
    here = city.current()
    assert (here.key, here.name, here.languages, here.centre, here.contact.phone) == (
        "town",
        "Town",
        ("sl", "en"),
        (14.3, 46.2),
        "1",
    )
    page = city.page("privacy")
    assert page is not None
    assert page.title == {"sl": "Zasebnost", "en": "Privacy"}
    assert page.text["en"] == "Text."
    assert city.folder() == tmp_path.resolve()
    export(tmp_path / "copy")
    assert (tmp_path / "copy/pages/privacy.sl.md").read_text() == "# Zasebnost\n\nBesedilo.\n"


def test_the_commands_say_what_they_found_and_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(folder(tmp_path / "a"))
    assert main.main(["check", path]) == 0
    assert "No mistakes" in capsys.readouterr().out
    assert main.main(["apply", path, "--dry-run"]) == 0
    assert "+ town" in capsys.readouterr().out
    assert main.main(["apply", path, "--yes"]) == 0
    assert "Applied: 1 added." in capsys.readouterr().out
    assert main.main(["apply", path]) == 0
    assert "Nothing to change." in capsys.readouterr().out
    (tmp_path / "a/city.toml").write_text(CITY + 'titel = "x"\n')
    assert main.main(["check", path]) == 1
    assert "city.toml:4 city town, titel: There is no field 'titel'." in capsys.readouterr().out
    assert main.main(["apply", path]) == 1
    assert "1 mistake" in capsys.readouterr().err
    assert main.main(["check", str(tmp_path / "nowhere")]) == 1
    assert "There is no city" in capsys.readouterr().err


def test_only_warnings_do_not_hinder(tmp_path: Path, store: Store) -> None:
    path = files(tmp_path, METERS + 'title = { sl = "Merilnik" }\n')
    done = apply(path, SYSTEM, kinds=kinds(store))
    assert done.written
    assert [found.what for found in done.diff.warnings] == ["The text is missing in en."]
    assert mistakes(done.diff.warnings) == []


def test_what_the_desk_does_meanwhile_is_not_written_over(tmp_path: Path, store: Store) -> None:
    apply(files(tmp_path), SYSTEM, kinds=kinds(store))

    def desk_is_quicker(diff: Diff) -> bool:
        store.things["meter"]["m1"]["interval_s"] = 5
        return True

    with pytest.raises(Conflict, match="m1 changed in the desk meanwhile"):
        apply(files(tmp_path, METERS.replace("60", "30")), SYSTEM, kinds=kinds(store), agree=desk_is_quicker)
    assert [store.things["meter"][key]["interval_s"] for key in ("m1", "m2")] == [5, 60]


def test_a_reader_who_leaves_early_does_not_keep_the_files_from_being_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    assert main.main(["apply", str(folder(tmp_path)), "--yes"]) == 0
    sys.stdout.close()
    monkeypatch.undo()
    assert city.current().key == "town"
