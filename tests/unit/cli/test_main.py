"""The command `krog`: what it says when the words, the settings or the database are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def krog(*words: str, given: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KROG_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "krog.cli.main", *words],
        env={**clean, **env}, input=given, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_without_words_it_lists_the_commands():
    done = krog()
    assert done.returncode == 0
    for command in ("demo", "run", "check", "apply", "export", "key", "password", "replay"):
        assert command in done.stdout


def test_wrong_words_are_named_with_what_is_allowed():
    done = krog("fly")
    assert done.returncode == 2 and "'fly'" in done.stderr and "demo" in done.stderr


def test_wrong_settings_stop_the_start_all_at_once(tmp_path: Path):
    done = krog("run", KROG_VAR=str(tmp_path), KROG_PORT="abc", KROG_TIMEZONE="Mars")
    assert done.returncode == 1
    assert "KROG_PORT" in done.stderr and "KROG_TIMEZONE" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [("key", "create", "x", "--organisation", "mok"), ("key", "list"), ("password", "ana")]
)
def test_a_database_without_tables_is_met_with_what_to_do(tmp_path: Path, words: tuple[str, ...]):
    done = krog(*words, KROG_VAR=str(tmp_path), given="a long enough one\n")
    assert done.returncode == 1
    assert "krog apply" in done.stderr and "Traceback" not in done.stderr


def test_a_city_that_is_not_there_is_met_with_those_that_are(tmp_path: Path):
    done = krog("check", "atlantis", KROG_VAR=str(tmp_path))
    assert done.returncode == 1 and "atlantis" in done.stderr


def test_keys_are_made_listed_and_revoked(tmp_path: Path):
    env = {"KROG_VAR": str(tmp_path), "KROG_DEMO": "true"}
    assert krog("apply", "cities/kranj", "--yes", **env).returncode == 0
    made = krog("key", "create", "gateway", "--organisation", "komunala-kranj", **env)
    assert made.returncode == 0 and "Bearer k" in made.stdout
    key = made.stdout.split()[1]
    assert f"{key}  in use" in krog("key", "list", **env).stdout
    assert krog("key", "revoke", key, **env).returncode == 0
    assert "revoked" in krog("key", "list", **env).stdout
    twice = krog("key", "revoke", key, **env)
    assert twice.returncode == 1 and "no key" in twice.stderr
    wrong = krog("key", "create", "x", "--organisation", "nobody", **env)
    assert wrong.returncode == 1 and "people.toml" in wrong.stderr
