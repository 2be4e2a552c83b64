"""Every setting of Krog in one table: name, type, one default, one help sentence.

The environment beats `krog.toml` beats the default. A value that is not allowed stops the start, with
name, value and what is allowed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from krog.base.errors import Misconfigured, Problem


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def _port(value: str) -> int:
    if value.isdigit() and 0 <= int(value) <= 65535:
        return int(value)
    raise ValueError("a port from 0 to 65535 (0 = none)")


def _count(value: str) -> int:
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise ValueError("a whole number above 0")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("an IANA time zone such as Europe/Ljubljana") from None
    return value


def _scheme(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value and not re.match(rf"^({'|'.join(schemes)})(:|$)", value):
            raise ValueError(" or ".join(f"{scheme}:…" if scheme != "embedded" else scheme for scheme in schemes))
        return value

    return check


def _addresses(value: str) -> frozenset[str]:
    try:
        return frozenset(str(ipaddress.ip_address(part.strip())) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("IP addresses with commas, such as 127.0.0.1,::1") from None


def _url(value: str) -> str:
    if not re.match(r"^https?://[^/\s]+$", value):
        raise ValueError("http://host[:port] or https://host[:port], without a path")
    return value


def _choice(*allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(", ".join(word or "(empty)" for word in allowed))
        return value

    return check


def _issuer(value: str) -> str:
    if value and not re.match(r"^(https://[^/\s?#]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^\s?#]*)?$", value):
        raise ValueError("https://host[/path] (http:// on 127.0.0.1 alone, for trying out)")
    return value


def _tiles(value: str) -> str:
    if value and not (
        re.match(r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?/[^\s\"'<>;,]+$", value)
        and ("{bbox-epsg-3857}" in value or all(part in value for part in ("{z}", "{x}", "{y}")))
    ):
        raise ValueError("https://host/… with {z}, {x} and {y}, or with {bbox-epsg-3857}")
    return value


@dataclass(frozen=True)
class Setting:
    """One row of the table. `{var}` in a default is the value of KROG_VAR."""

    name: str
    parse: Callable[[str], Any]
    default: str
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("KROG_VAR", _text, "var", "Folder for everything that Krog writes."),
    Setting("KROG_HOST", _text, "127.0.0.1", "Address that the public port listens on."),
    Setting("KROG_PORT", _port, "8000", "Public port of pages, API and live values."),
    Setting("KROG_URL", _url, "http://127.0.0.1:8000", "Public address of this Krog, as links in mails use it."),
    Setting(
        "KROG_PROXIES",
        _addresses,
        "",
        "Addresses of TLS proxies, with commas: only their X-Forwarded-For is believed.",
    ),
    Setting(
        "KROG_DATABASE",
        _scheme("sqlite", "postgres", "postgresql"),
        "sqlite:{var}/krog.sqlite",
        "Database of the nouns: sqlite:PATH or postgres://user@host/name.",
    ),
    Setting(
        "KROG_HOT",
        _scheme("sqlite"),
        "sqlite:{var}/hot.sqlite",
        "Durable log and last days of observations: sqlite:PATH.",
    ),
    Setting("KROG_LAKE", _scheme("file"), "file:{var}/lake", "Folder of the lake's Delta tables: file:PATH."),
    Setting("KROG_FILES", _scheme("file"), "file:{var}/files", "Folder of photos and documents: file:PATH."),
    Setting("KROG_COMPUTE", _scheme("duckdb"), "duckdb:", "Engine that computes over the lake: duckdb:."),
    Setting("KROG_BROKER", _scheme("embedded"), "embedded", "MQTT in: embedded (the listener of the ingest process)."),
    Setting("KROG_MQTT_HOST", _text, "127.0.0.1", "Address that the embedded MQTT listener listens on."),
    Setting("KROG_MQTT_PORT", _port, "1883", "Port of the embedded MQTT listener; 0 switches it off."),
    Setting(
        "KROG_MAIL",
        _scheme("smtp", "smtps", "embedded"),
        "embedded",
        "Mail out: smtp://[user:password@]host:port, smtps://…, or embedded (kept in KROG_VAR/mail, for trying out).",
    ),
    Setting(
        "KROG_MAIL_FROM", _text, "krog@localhost", "Sender of mails; replies go to its tagged form krog+TOKEN@host."
    ),
    Setting("KROG_MAIL_HOST", _text, "127.0.0.1", "Address that the mail listener for replies listens on."),
    Setting("KROG_MAIL_PORT", _port, "2525", "Port of the mail listener (SMTP) for replies; 0 switches it off."),
    Setting("KROG_TIMEZONE", _zone, "Europe/Ljubljana", "Time zone that local days are fixed in."),
    Setting(
        "KROG_SECRET", _text, "", "Key that signs sessions and links; when empty one is made in KROG_VAR/secret.", True
    ),
    Setting(
        "KROG_SECOND_FACTOR",
        _choice("", "required", "optional"),
        "",
        "Second factor of officials with a password: required or optional; empty = required outside of a demo.",
    ),
    Setting("KROG_OIDC_ISSUER", _issuer, "", "Organisation's sign-in (OpenID Connect): its issuer; empty = none."),
    Setting("KROG_OIDC_CLIENT", _text, "", "Name of this Krog at the organisation's sign-in (client_id)."),
    Setting("KROG_OIDC_SECRET", _text, "", "Secret of this Krog there; empty for a public client.", True),
    Setting("KROG_OIDC_TITLE", _text, "", "What the organisation's sign-in is called on the button."),
    Setting(
        "KROG_OIDC_MATCH",
        _choice("email", "email-trusted", "linked"),
        "email",
        "How a person finds the account the first time: email that the organisation vouches for, email-trusted without "
        "that, or linked by hand; afterwards by the subject.",
    ),
    Setting(
        "KROG_OIDC_CREATE",
        _flag,
        "false",
        "Open an account without any role for a person of the organisation who has none.",
    ),
    Setting("KROG_DEMO", _flag, "false", "Accept replayed and simulated observations and show the demo band."),
    Setting("KROG_DEBUG", _flag, "false", "Show tracebacks in the browser; never in production."),
    Setting("KROG_LATE_DAYS", _count, "400", "Observations older than this many days are set aside as late."),
    Setting("KROG_FUTURE_SECONDS", _count, "300", "Observations further ahead than this are set aside as future."),
    Setting("KROG_HOT_DAYS", _count, "8", "Days that observations stay in the hot store after they reached the lake."),
    Setting(
        "KROG_MAP_TILES",
        _tiles,
        "",
        "Raster ground of maps: https://host/…{z}/{x}/{y}… (tiles, WMTS) or …{bbox-epsg-3857}… (WMS).",
    ),
    Setting("KROG_MAP_CREDIT", _text, "", "Whose tiles these are, as maps write it."),
    Setting("KROG_UPLOAD_MB", _count, "12", "Largest photo that a report may carry, in megabytes."),
)

NAMES = {setting.name for setting in SETTINGS}


class Settings:
    """The values of the table as attributes: `KROG_MQTT_PORT` is `settings.mqtt_port`."""

    def __init__(self, values: Mapping[str, Any]):
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[f"KROG_{name.upper()}"]
        except KeyError:
            raise AttributeError(f"There is no setting KROG_{name.upper()}.") from None

    def path(self, name: str) -> Path:
        """The file or folder that a setting of the form `scheme:PATH` names."""
        return Path(str(getattr(self, name)).partition(":")[2])

    def items(self) -> Mapping[str, Any]:
        """Name and value of every setting, secrets left out."""
        return {s.name: "(secret)" if s.secret else self._values[s.name] for s in SETTINGS}


def load(environ: Mapping[str, str], toml: Mapping[str, Any] | None = None) -> Settings:
    """Settings from the environment over `krog.toml` over the defaults; raises Misconfigured with every mistake."""
    toml = toml or {}
    problems = [
        Problem("There is no such setting.", name, todo="See docs/reference/settings.md.")
        for name in [*toml, *environ]
        if name.startswith("KROG_")
        and name not in NAMES
        and not name.startswith("KROG_TEST_")
        and name not in ("KROG_SHARED", "KROG_PROVE")
    ]
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = str(environ.get(setting.name, toml.get(setting.name, setting.default)))
        try:
            values[setting.name] = setting.parse(raw.replace("{var}", str(values.get("KROG_VAR", ""))))
        except ValueError as error:
            shown = "(secret)" if setting.secret else repr(raw)
            problems.append(Problem(f"The value {shown} is not allowed.", setting.name, str(error)))
    if problems:
        raise Misconfigured("Krog cannot start with these settings.", problems=tuple(problems))
    if not values["KROG_SECRET"]:
        values["KROG_SECRET"] = _own_secret(Path(values["KROG_VAR"]))
    return Settings(values)


def _own_secret(var: Path) -> str:
    """The signing key kept in KROG_VAR/secret, made on first use and readable by its owner alone."""
    file = var / "secret"
    if not file.exists():
        var.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _own_secret(var)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_urlsafe(48))
    return file.read_text().strip()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    file = Path("krog.toml")
    try:
        toml = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"krog.toml cannot be read: {error}", "krog.toml") from None
    return load(os.environ, toml)
