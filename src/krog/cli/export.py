"""`krog export CITY`: writes the present state back into a city's files, in the formats that `krog apply` reads."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from krog.cli.check import counted, paint, start


def register(commands: Any) -> None:
    command = commands.add_parser("export", help="write the present state into a city's files", description=__doc__)
    command.add_argument("city", metavar="CITY", help="folder to write to (made when missing), or a name under cities/")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    start()
    from krog.base.errors import NotFound
    from krog.engine.cities import city, files
    from krog.engine.cities.export import export

    if not city.current().key:
        raise NotFound("There is no city to export.", todo="Apply one first: krog apply cities/<city>.")
    try:
        folder = files.city_folder(args.city)
    except NotFound:
        folder = Path(args.city)
    done = export(folder)
    for name, count in done.written.items():
        print(f"  {folder / name}  {counted(count, 'thing')}")
    for name in done.removed:
        print(f"  {folder / name}  taken away, nothing stands in it any more")
    words = f"{counted(len(done.written), 'file')} written, {counted(len(done.unchanged), 'file')} as they were."
    print(paint("good", words[0].upper() + words[1:]))
    if not done.is_city:
        print(f"This is a copy: the city's own files stand in {city.folder()}.")
    return 0
