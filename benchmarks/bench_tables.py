"""XLSX of 100,000 rows by Krog and by xlsxwriter: seconds and peak memory, each in a process of its own; JSON."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import about

COLUMNS = ("key", "name", "kind", "size", "count", "day", "time", "open", "lon", "lat")


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Rows such as a register has them."""
    for n in range(count):
        yield {
            "key": f"hydrant-{n}", "name": f"Hidrant številka {n}", "kind": ("above", "below")[n % 2], "size": n * 1.5,
            "count": n, "day": "2026-05-12", "time": 1_700_000_000_000_000 + n * 60_000_000, "open": n % 2 == 0,
            "lon": 14.3 + n / 1e6, "lat": 46.2 + n / 1e6,
        }  # fmt: skip


def by_krog(file: Path, count: int) -> None:
    """Krog's own writer, with choices, formats and the second sheet."""
    from krog.tables import workbook
    from krog.tables.columns import Column, Table

    types = ("text", "text", "choice", "number", "integer", "date", "time", "boolean", "number", "number")
    choices = {"above": "nad zemljo", "below": "pod zemljo"}
    columns = [Column(name, name, kind, choices=choices if kind == "choice" else {})
               for name, kind in zip(COLUMNS, types, strict=True)]  # fmt: skip
    with file.open("wb") as out:
        for piece in workbook.pieces(Table("hydrants", "Hidranti", columns), rows(count), "sl", "Europe/Ljubljana"):
            out.write(piece)


def by_xlsxwriter(file: Path, count: int) -> None:
    """The bare library, in constant memory."""
    import xlsxwriter

    book = xlsxwriter.Workbook(
        str(file), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    look = book.add_format({"num_format": "d. m. yyyy hh:mm"})
    for line, row in enumerate(rows(count), 1):
        for at, name in enumerate(COLUMNS):
            if name == "time":
                moment = datetime.fromtimestamp(row[name] / 1e6, UTC).replace(tzinfo=None)
                sheet.write_datetime(line, at, moment, look)
            else:
                sheet.write(line, at, row[name])
    book.close()


def measure(writer: str, count: int) -> None:
    """Writes once, and says how long it took and how much memory the process held at most."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.xlsx"
        wall, processor = time.perf_counter(), time.process_time()
        {"krog": by_krog, "xlsxwriter": by_xlsxwriter}[writer](file, count)
        print(json.dumps({
            "seconds": round(time.perf_counter() - wall, 2),
            "processor_seconds": round(time.process_time() - processor, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "file_mb": round(file.stat().st_size / 1e6, 1),
        }))  # fmt: skip


def main() -> None:
    """Measures both and prints JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--writer", choices=("krog", "xlsxwriter"))
    chosen = options.parse_args()
    if chosen.writer:
        measure(chosen.writer, chosen.rows)
        return
    found: dict[str, Any] = {"benchmark": "tables", "rows": chosen.rows, "columns": len(COLUMNS), "machine": about()}
    for writer in ("krog", "xlsxwriter"):
        command = [sys.executable, "-m", "benchmarks.bench_tables", "--writer", writer, "--rows", str(chosen.rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        found[writer] = json.loads(done.stdout)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
