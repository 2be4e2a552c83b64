"""A plan of a thousand nodes: its pages, a bulk change of a draft and its adoption, in milliseconds, as JSON."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

NODES = int(os.environ.get("NODES", "1000"))
TIMES = int(os.environ.get("TIMES", "30"))


def _prepare() -> None:
    home = tempfile.mkdtemp(prefix="krog-bench-")
    os.environ.setdefault("KROG_VAR", home)
    os.environ.setdefault("KROG_DEMO", "true")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _city() -> None:
    """A plan with nine areas, 120 measures that contribute to goals of a second tree, projects below the measures."""
    from krog.base.declaration import Change
    from krog.catalogue import door, verbs
    from krog.people.permissions import SYSTEM
    from krog.plans import applying

    about = {"title": {"en": "Plan"}, "noun": "plans", "access": "public"}
    verbs.declare_datasets(SYSTEM, changes=[Change("town-plan", about)])
    door.forget()
    levels = [{"key": key, "title": {"en": key}} for key in ("axis", "area", "measure", "project")]
    trees = [
        {"key": "areas", "title": {"en": "Areas"}, "top": ["area"], "by": ""},
        {"key": "axes", "title": {"en": "Axes"}, "top": ["axis"], "by": "contributes"},
    ]
    applying.declare_plans(
        SYSTEM,
        [
            Change(
                "town",
                {"title": {"en": "Town"}, "levels": levels, "trees": trees, "dataset": "town-plan", "version": "First"},
            )
        ],
    )
    rows: list[tuple[str, str, str]] = [(f"so{n}", "axis", "") for n in range(6)]
    rows += [(f"a{n}", "area", "") for n in range(9)]
    rows += [(f"m{n}", "measure", f"a{n % 9}") for n in range(120)]
    rows += [(f"p{n}", "project", f"m{n % 120}") for n in range(NODES - len(rows))]
    applying.declare_nodes(
        SYSTEM,
        [
            Change(
                key,
                {
                    "plan": "town",
                    "level": level,
                    "parent": parent,
                    "title": {"sl": f"Postavka {key} s precej dolgim naslovom, kot so v načrtih", "en": f"Node {key}"},
                    "order": n,
                    "number": key,
                    "horizon": "2030",
                },
            )
            for n, (key, level, parent) in enumerate(rows)
        ],
    )
    pairs = [(f"m{n}", f"so{(n + step) % 6}") for n in range(120) for step in range(3)]
    applying.declare_links(
        SYSTEM,
        [Change(f"{a}--contributes--{b}", {"source": a, "target": b, "type": "contributes"}) for a, b in pairs],
    )


def _measured(name: str, act: Callable[[], Any], times: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    act()
    with CaptureQueriesContext(connection) as queries:
        act()
        # Counted here: the next request forgets what was asked.
        asked = len(queries)
    taken, worked = [], []
    for _ in range(times):
        begun, spent = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
        worked.append((time.process_time() - spent) * 1000)
    taken.sort()
    return {
        "what": name,
        "queries": asked,
        "cpu_p50_ms": round(statistics.median(worked), 1),
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(taken[min(len(taken) - 1, int(len(taken) * 0.95))], 1),
    }


def main() -> None:
    """Prints one JSON object."""
    _prepare()
    _city()
    from django.conf import settings
    from django.test import Client

    from krog.base.grant import Reader
    from krog.people.models import Account
    from krog.plans import bulk, verbs

    settings.ALLOWED_HOSTS = ["*"]
    planner = Reader("account", 7, "Petra", frozenset({"anonymous", "planner"}), "town", frozenset(), "en")
    public = Client()
    found = []
    for name, address in (
        ("tree, folded", "/en/plans/town"),
        ("tree, an area open", "/en/plans/town?open=a1"),
        ("one branch", "/en/plans/town?tree=areas&open=m1&branch=m1&depth=1"),
        ("second tree", "/en/plans/town?tree=axes&open=so1"),
        ("list of projects", "/en/plans/town?level=project"),
        ("search", "/en/plans/town?text=dolgim"),
        ("matrix", "/en/plans/town?view=matrix"),
        ("node", "/en/plans/town/m1"),
    ):

        def get(address: str = address) -> None:
            assert public.get(address).status_code == 200

        found.append(_measured(name, get, TIMES))
    draft = verbs.begin_draft(planner, plan="town", label="2026")
    account = Account(key="petra", name="Petra", email="p@example.org", roles=["planner"], language="en")
    account.set_unusable_password()
    account.save()
    desk = Client()
    desk.force_login(account, backend="krog.people.backend.AccountBackend")

    def sheet() -> None:
        assert desk.get(f"/desk/plans/town/drafts/{draft}/table").status_code == 200

    found.append(_measured("draft as a table, 100 rows", sheet, TIMES))
    turn = iter(range(10_000))

    def many() -> None:
        value = str(next(turn))
        rows = [bulk.Row(f"p{n}", {"horizon": value}) for n in range(NODES - 135)]
        assert bulk.change_rows(planner, plan="town", draft=draft, rows=rows).saved

    found.append(_measured(f"bulk change of {NODES - 135} rows", many, 5))
    json.dump(
        {
            "nodes": NODES,
            "engine": settings.DATABASES["default"]["ENGINE"],
            "load": os.getloadavg()[0],
            "measures": found,
        },
        sys.stdout,
        indent=1,
    )
    print()


if __name__ == "__main__":
    main()
