"""Documents say what the code does: the reference is written from it, links lead somewhere, nothing machine-bound."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _tracked(*endings: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / n for n in names.splitlines() if n.endswith(endings) and (ROOT / n).is_file()]


def test_the_reference_is_written_from_the_code_as_it_is():
    done = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", _tracked(".md"), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not re.match(r"[a-z]+:|/", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_task_of_the_readme_is_a_task_of_make():
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", (ROOT / "README.md").read_text("utf-8"), re.M))
    assert {"demo", "test"} <= named <= tasks


def test_ci_runs_the_whole_of_make_test():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert re.search(r"^make test$", script, re.M)


def test_dependencies_are_locked_with_hashes_and_name_no_host():
    for name in ("build", "run", "test"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        assert "://" not in text
        pinned = re.findall(r"^([a-z0-9][a-z0-9_.\[\],-]*)==", text, re.M | re.I)
        assert pinned and text.count("--hash=sha256:") >= len(pinned)
    for lock in ROOT.glob("frontend/package-lock.json"):
        assert "://registry" not in lock.read_text("utf-8")


def test_no_file_holds_a_path_of_somebodys_machine():
    own = re.compile(r"(?<![\w.])/(?:home/\w|Users/\w|root/|work/)")
    wrong = [
        p.relative_to(ROOT).as_posix()
        for p in _tracked(".py", ".md", ".toml", ".html", ".ts", ".css", ".sh", "Makefile")
        if p != Path(__file__) and own.search(p.read_text("utf-8"))
    ]
    assert wrong == []
