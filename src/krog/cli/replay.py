"""`krog replay`: feeds a demo over MQTT with recordings shifted to now and with simulated sensors."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from krog.base import times
from krog.base.errors import Invalid, NotFound
from krog.base.settings import settings
from krog.engine.cities.files import city_folder

#: How often it is asked whether a case was closed.
CASES_S = 5.0


def register(commands: Any) -> None:
    command = commands.add_parser(
        "replay", help="send recorded and simulated measurements over MQTT", description=__doc__
    )
    command.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="folder of recordings; without it everything is simulated"
    )
    command.add_argument("--city", required=True, help="folder of a city, or its name below cities/")
    command.add_argument("--host", default="", help="where the MQTT listener is (KROG_MQTT_HOST)")
    command.add_argument("--port", type=int, default=0, help="its port (KROG_MQTT_PORT)")
    command.add_argument("--key", default="", metavar="ID.SECRET", help="API key; better in a file")
    command.add_argument("--key-file", default="", metavar="FILE", help="file with the API key")
    command.add_argument("--days", type=float, default=35, help="days of history that are sent first (35)")
    command.add_argument("--speed", type=float, default=0, help="history at this many times real time (0: at once)")
    command.add_argument("--every", type=float, default=7, help="seconds between live values (7)")
    command.add_argument("--once", action="store_true", help="end after the history")
    command.add_argument("--anew", action="store_true", help="do not go on where the last replay ended")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from krog.sources import replay

    found = settings()
    state = Path(found.var) / "replay.json"
    city = city_folder(args.city)
    folder = Path(args.folder) if args.folder else None
    if folder is not None and not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.", "FOLDER", todo="Leave it out to simulate everything.")
    if args.speed < 0 or args.days < 0 or args.every <= 0:
        raise Invalid("Days and speed are not below 0, seconds are above 0.", "--days, --speed, --every")
    key_id, secret = _key(args)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    outcome = replay.run(
        city, folder, host=args.host or found.mqtt_host, port=args.port or found.mqtt_port, key_id=key_id,
        secret=secret, speed=args.speed, days_back=args.days, every_s=args.every, once=args.once,
        state=None if args.anew else state, mended=Cases().closed, stop=stop,
        say=lambda words: print(f"  replay: {words}", flush=True),
    )  # fmt: skip
    if outcome.refused:
        print(f"replay: {outcome.refused.total()} readings were set aside; the desk shows why.", file=sys.stderr)
    return 0


class Cases:
    """Asks the database when cases were closed, at most every few seconds: then the demo's crew has mended the pipe."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, float], tuple[float, float | None]] = {}

    def closed(self, case_type: str, since: float) -> float | None:
        """UTC seconds at which the newest case of a type that was opened after `since` was closed, or None."""
        asked, found = self._known.get((case_type, since), (0.0, None))
        if time.monotonic() - asked > CASES_S or not asked:
            found = self._ask(case_type, since)
            self._known[case_type, since] = (time.monotonic(), found)
        return found

    def _ask(self, case_type: str, since: float) -> float | None:
        import django
        from django.db import DatabaseError, close_old_connections

        django.setup()
        from krog.cases import reads
        from krog.catalogue import door
        from krog.people.permissions import SYSTEM

        try:
            grant = door.open(SYSTEM, "compute", kind="cases")
            closed = reads.closed_after(grant, case_type, int(since * times.SECOND))
        except DatabaseError:  # A replay to a Krog elsewhere has no cases here.
            return None
        finally:
            close_old_connections()
        return None if closed is None else closed / times.SECOND


def _key(args: argparse.Namespace) -> tuple[str, str]:
    try:
        text = Path(args.key_file).read_text().strip() if args.key_file else args.key
    except OSError as error:
        raise NotFound(f"The key cannot be read: {error.strerror}.", args.key_file) from None
    key_id, _, secret = text.partition(".")
    if not secret:
        raise Invalid("There is no API key.", "--key-file", "<key id>.<secret>", "Make one with `krog key create`.")
    return key_id, secret
