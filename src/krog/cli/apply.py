"""`krog apply CITY`: shows how a city's files differ from the database, then brings it to their state."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from krog.cli.check import CITY_HELP, city_folder, counted, listed, paint, start

if TYPE_CHECKING:
    from krog.engine.cities.compare import Action, Diff, ItemChange

SIGNS = {"add": ("+", "good"), "change": ("~", "warn"), "retire": ("-", "bad"), "conflict": ("!", "bad")}
DONE = {"add": "added", "change": "changed", "retire": "retired"}
#: Things of one kind that are named one by one; of more, the rest is counted.
NAMED = 8


def register(commands: Any) -> None:
    command = commands.add_parser("apply", help="bring the database to a city's files", description=__doc__)
    command.add_argument("city", nargs="?", metavar="CITY", help=CITY_HELP)
    command.add_argument("--take", choices=("files", "desk"), help="which side counts where both have changed the same")
    command.add_argument("--dry-run", action="store_true", help="show the difference only")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--all", action="store_true", help="name every change")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    start()
    from krog.engine.cities.apply import apply, conflict
    from krog.people.permissions import SYSTEM

    folder = city_folder(args.city)
    _tables()

    def agree(diff: Diff) -> bool:
        try:
            show(diff, args.all)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads the difference has seen enough (`| head`); that is no reason to apply half or nothing.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - it stays open to the end of the process
        if args.yes or not sys.stdin.isatty():
            return True
        return input("Apply these changes? [y/N] ").strip().lower() in ("y", "yes", "d", "da")

    done = apply(folder, SYSTEM, take=args.take, dry_run=args.dry_run, agree=agree, progress=_progress)
    if args.dry_run:
        show(done.diff, args.all)
        if done.diff.conflicts:
            print(f"krog: {conflict(done.diff)}", file=sys.stderr)
            return 1
    _end(done.diff, done.counts, done.written, args.dry_run)
    return 0


def _tables() -> None:
    """Makes the tables of a new Krog, so that its first city can be applied at once."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)


def show(diff: Diff, everything: bool = False) -> None:
    """Prints the difference: by kind, what is added, changed (field by field), retired, in conflict."""
    kinds = dict.fromkeys(change.kind for change in diff.changes if change.action != "keep")
    for kind in kinds:
        changes = [change for change in diff.changes if change.kind == kind and change.action != "keep"]
        counts = Counter(change.action for change in changes)
        words = listed(f"{number} {DONE.get(action, 'in conflict')}" for action, number in counts.items())
        print(paint("bold", f"{kind}: {words}"))
        for action in ("add", "retire"):
            if keys := [change.key for change in changes if change.action == action and not change.note]:
                _show_keys(action, keys, everything)
        told = [change for change in changes if change.action in ("change", "conflict") or change.note]
        for change in told if everything else told[:NAMED]:
            _show_one(change)
        if len(told) > NAMED and not everything:
            print(paint("faint", f"    … and {len(told) - NAMED} more (--all names them)"))


def _show_keys(action: Action, keys: list[str], everything: bool) -> None:
    sign, colour = SIGNS[action]
    shown = keys if everything else keys[:NAMED]
    rest = f" … and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
    print(paint(colour, f"  {sign} {', '.join(shown)}") + paint("faint", rest))


def _show_one(change: ItemChange) -> None:
    from krog.engine.cities.findings import shown

    sign, colour = SIGNS[change.action]
    print(paint(colour, f"  {sign} {change.key}") + (f"  ({change.note})" if change.note else ""))
    if change.action in ("change", "conflict"):
        for field in change.fields:
            if field.conflict:
                print(f"      {field.name}: files {shown(field.file)}, desk {shown(field.desk)}")
            elif field.result != field.desk:
                print(f"      {field.name}: {shown(field.desk)} → {shown(field.result)}")


def _progress(kind: str, count: int) -> None:
    if sys.stdout.isatty() and count:
        print(paint("faint", f"  {kind} …"))


def _end(diff: Diff, counts: Counter[tuple[str, str]], written: bool, dry_run: bool) -> None:
    for found in diff.warnings:
        print(paint("warn", f"{found.where}: {found.what}"))
    if diff.kept:
        names = ", ".join(f"{change.kind} {change.key}" for change in diff.kept[:NAMED])
        more = f" and {len(diff.kept) - NAMED} more" if len(diff.kept) > NAMED else ""
        print(f"{counted(len(diff.kept), 'thing')} kept as the desk has changed them: {names}{more}.")
    if diff.empty:
        print(paint("good", "Nothing to change."))
        return
    totals: Counter[str] = Counter()
    for (_, action), number in counts.items():
        totals[action] += number
    words = listed(f"{number} {DONE[action]}" for action, number in totals.items())
    print(paint("good", f"Applied: {words}.") if written else f"Not applied{' (dry run)' if dry_run else ''}: {words}.")
