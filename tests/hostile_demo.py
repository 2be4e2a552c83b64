"""A demo under attack: its addresses, and what must still be true of it afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.urls import URLPattern, URLResolver, get_resolver

from tests.demo import Krog, running, wait_until

#: Megabytes that the whole group may take more after the attack than before.
GROWTH_MB = 400


@contextmanager
def attacked(home: Path) -> Iterator[Krog]:
    """A demo; at the end its processes live, it is about as small as before, and nothing failed inside."""
    with running(home) as demo:
        wait_until(lambda: re.search(r"readings in [\d.]+ s", demo.log.read_text()), 120, "history")
        before, began = _processes(demo.pid), sum(_memory(demo.pid).values())
        yield demo
        assert _processes(demo.pid) == before, "a process has ended, or was started again"
        grown = (sum(_memory(demo.pid).values()) - began) / 1e6
        assert grown < GROWTH_MB, f"the processes take {grown:.0f} MB more than before"
        said = demo.log.read_text(errors="replace")
        failed = [line for line in said.splitlines() if "Traceback" in line or "Internal Server Error" in line]
        assert not failed, said[said.index(failed[0]) :][:3000]


def _group(pid: int) -> dict[int, str]:
    """The processes of a process group, as in /proc: pid and statistics."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[2]) == pid:
            found[int(stat.parent.name)] = text
    return found


def _processes(pid: int) -> set[int]:
    return {each for each, text in _group(pid).items() if text.rsplit(")", 1)[1].split()[0] != "Z"}


def _memory(pid: int) -> dict[int, int]:
    page = os.sysconf("SC_PAGE_SIZE")
    return {each: int(text.rsplit(")", 1)[1].split()[21]) * page for each, text in _group(pid).items()}


def routes() -> list[str]:
    """All addresses of the pages and the API, as patterns."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
        for each in patterns:
            address = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, address)
            else:
                yield "/" + address

    return sorted({*walk(get_resolver().url_patterns, ""), "/live", "/healthz", "/metrics", "/static/<x>"})
