"""`krog replay [FOLDER]`: publishes recorded measurements over MQTT, their times shifted to now."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("replay", help="publish recorded or simulated measurements over MQTT")
    command.add_argument(
        "folder", nargs="?", default="", help="folder of recordings; without one sensors are simulated"
    )
    command.add_argument(
        "--city", default="cities/kranj", help="folder of the city whose replay.toml says what feeds what"
    )
    command.add_argument("--host", default="", help="MQTT listener (default: the one of these settings)")
    command.add_argument("--port", type=int, default=0, help="its port")
    command.add_argument("--key-file", default="", help="file with `<key id>.<secret>` (else KROG_REPLAY_KEY)")
    command.add_argument("--days", type=int, help="days of history that are sent first")
    command.add_argument("--every", type=float, help="seconds between readings afterwards; 0 ends after the history")
    command.add_argument("--speed", type=float, default=0.0, help="pace of the history; 0: as fast as acknowledged")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.base.errors import Invalid
    from krog.base.settings import settings
    from krog.sources.replay import demo, feeds

    token = Path(args.key_file).read_text("utf-8").strip() if args.key_file else os.environ.get("KROG_REPLAY_KEY", "")
    key_id, _, secret = token.partition(".")
    if not secret:
        raise Invalid(
            "There is no key to publish with.",
            "--key-file",
            "a file with <key id>.<secret>",
            "Make one: krog key create.",
        )
    feeds.repair_by(closed_after)
    found = settings()
    shown = sys.stdout.isatty()

    def progress(sent: int, expected: int) -> None:
        if shown:
            share = min(99, 100 * sent // max(1, expected))
            print(f"\r  history {share} % ({sent})", end="", flush=True)

    def done(sent: int, seconds: float) -> None:
        print(f"{chr(13) if shown else ''}  history: {sent} readings in {seconds:.0f} s, all acknowledged", flush=True)

    folder = Path(args.folder) if args.folder else None
    if folder and not folder.is_dir():
        raise Invalid(f"{folder} is no folder.", "FOLDER")
    with suppress(KeyboardInterrupt):
        demo.run(
            Path(args.city),
            folder,
            host=args.host or found.mqtt_host,
            port=args.port or found.mqtt_port,
            key_id=key_id,
            secret=secret,
            zone=found.timezone,
            days=args.days,
            every_s=args.every,
            speed=args.speed,
            progress=progress,
            done=done,
        )
    return 0


def closed_after(case_type: str, since: int) -> int | None:
    """When the newest case of a type that was opened after `since` was closed: then the demo's pipe is repaired."""
    from krog.cases import reads
    from krog.catalogue import door
    from krog.people.permissions import SYSTEM

    return reads.closed_after(door.open(SYSTEM, "compute", kind="cases"), case_type, since)
