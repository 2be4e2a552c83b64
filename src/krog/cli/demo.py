"""`krog demo`: a demo city in one command: database, files, demo accounts, live input, one address."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from krog.engine.cities.files import city_folder


def register(commands: Any) -> None:
    command = commands.add_parser("demo", help="run a demo city with replayed and simulated input")
    command.add_argument("city", help="folder of a city, or its name below cities/")
    command.add_argument(
        "--port", type=int, default=8000, help="public port; a taken one is met with the next free one"
    )
    command.add_argument("--var", default="var", help="folder for everything that is written")
    command.add_argument("--replay", default="", help="folder of recorded measurements (default: ../shared/data/real)")
    command.set_defaults(run=run)


def free_port(wanted: int) -> int:
    """`wanted`, or the next port that nobody listens on."""
    for port in range(wanted, min(wanted + 200, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"krog: no port from {wanted} on is free; give another with PORT=…")


def _step(words: str) -> None:
    print(f"  {words} …", flush=True)


def _kept(file: Path, make: str) -> str:
    """A secret that is made once and kept for its owner alone."""
    if not file.exists():
        file.touch(0o600)
        file.write_text(make)
    return file.read_text().strip()


def run(args: argparse.Namespace) -> int:
    var = Path(args.var)
    var.mkdir(parents=True, exist_ok=True)
    port = free_port(args.port)
    if port != args.port:
        print(f"Port {args.port} is taken; using {port}.")
    folder = city_folder(args.city)
    os.environ.update(
        KROG_VAR=str(var),
        KROG_PORT=str(port),
        KROG_URL=f"http://127.0.0.1:{port}",
        KROG_DEMO="true",
        KROG_MQTT_PORT=str(free_port(1883)),
        KROG_MAIL_PORT=str(free_port(2525)),
    )
    print(f"Krog for {folder.name}: data in {var}/")
    from krog.cli.run import ROLES, Group, prepare

    _step("preparing the database")
    prepare()
    _step(f"bringing in the city's files from {folder}")
    _apply(folder)
    password, accounts = _accounts(var)
    key = _key(var)
    commands = [[sys.executable, "-m", "krog.cli.main", "run", role] for role in ROLES]
    commands.append(_replay(args.replay, folder, var))
    example = _example(folder)
    _step("starting ingest, web and work")
    return Group(commands, once=lambda: _welcome(password, accounts, key, example)).serve()


def _apply(folder: Path) -> None:
    from krog.engine.cities.apply import apply
    from krog.people.permissions import SYSTEM

    apply(folder, SYSTEM, take="desk")


def _accounts(var: Path) -> tuple[str, list[tuple[str, str, str]]]:
    """Gives every demo account the demo's own password; lists them as (key, name, roles)."""
    from krog.catalogue import door
    from krog.people import reads, verbs
    from krog.people.permissions import SYSTEM

    password = _kept(var / "demo-password", secrets.token_urlsafe(9))
    found = [person for person in reads.people(door.open(SYSTEM, "desk", kind="people")) if person.demo]
    for person in found:
        verbs.set_password(SYSTEM, account=person.key, password=password)
    return password, [(p.key, p.name, ", ".join(sorted(p.roles))) for p in found]


def _key(var: Path) -> str:
    """The demo's API key, made once: `<id>.<secret>`."""
    from krog.people import keys
    from krog.people.permissions import SYSTEM

    file = var / "demo-key"
    known = file.read_text().strip() if file.exists() else ""
    if known and keys.verify(*known.split(".", 1)):
        return known
    file.unlink(missing_ok=True)
    new = keys.create(SYSTEM, title="Demo", organisation=_municipality(), roles=("sensor", "operator"))
    return _kept(file, new.bearer)


def _municipality() -> str:
    """The key of the organisation that the city is run by; the first one where none is called a municipality."""
    from krog.catalogue import door
    from krog.people import reads
    from krog.people.permissions import SYSTEM

    found = reads.organisations(door.open(SYSTEM, "desk", kind="people"))
    return next((each.key for each in [*(o for o in found if o.kind == "municipality"), *found]), "")


def _example(city: Path) -> str:
    """A datastream of the city to try the doors with: the first that its demo input feeds."""
    from krog.sources.replay import recipe

    found = recipe.read(city)
    fed = [*(water.inflow for water in found.water), *(each.datastream for each in found.recorded)]
    return fed[0] if fed else "<datastream>"


def _replay(recorded: str, city: Path, var: Path) -> list[str]:
    """The command that feeds the demo over MQTT; it reads its key from the file, so that no process list shows it."""
    shared = Path(os.environ.get("KROG_SHARED", "../shared")) / "data" / "real"
    folder = recorded or (str(shared) if shared.is_dir() else "")
    return [
        sys.executable,
        "-m",
        "krog.cli.main",
        "replay",
        *([folder] if folder else []),
        "--city",
        str(city),
        "--key-file",
        str(var / "demo-key"),
    ]


def _welcome(password: str, accounts: list[tuple[str, str, str]], key: str, example: str) -> None:
    from krog.base.settings import settings

    found = settings()
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            with urllib.request.urlopen(f"{found.url}/", timeout=10):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    key_id, _, secret = key.partition(".")
    lines = [
        "",
        f"Krog is running:  {found.url}/",
        "",
        f"Sign in at {found.url}/desk/ with password {password} as:",
        *(f"  {name:16} {title} ({roles})" for name, title, roles in accounts),
        "",
        "API key (more with `krog key create`):",
        f"  {key}",
        f"  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\",
        f'    -d \'{{"datastream": "{example}", "value": 21.5}}\' {found.url}/api/v1/observations',
        f"  mosquitto_pub -p {found.mqtt_port} -u {key_id} -P {secret} -q 1 -t krog/{example} -m 21.5",
        "",
        f"Mails are kept for reading at {found.url}/desk/mailbox/; replies by mail (SMTP) on port {found.mail_port}.",
        "History is coming in; Ctrl-C stops everything.",
        "",
    ]
    print("\n".join(lines), flush=True)
