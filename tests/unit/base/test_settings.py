"""The settings table: one default, a clear refusal, nothing unknown."""

from __future__ import annotations

import stat

import pytest

from krog.base.errors import Misconfigured
from krog.base.settings import SETTINGS, load


def test_environment_beats_file_beats_default(tmp_path):
    toml = {"KROG_PORT": 8100, "KROG_MQTT_PORT": 1999}
    found = load({"KROG_VAR": str(tmp_path), "KROG_PORT": "8200"}, toml)
    assert (found.port, found.mqtt_port, found.mail_port) == (8200, 1999, 2525)
    assert found.path("hot") == tmp_path / "hot.sqlite"


def test_every_mistake_is_named_at_once_with_what_is_allowed(tmp_path):
    wrong = {
        "KROG_VAR": str(tmp_path),
        "KROG_PORT": "eighty",
        "KROG_TIMEZONE": "Mars/Olympus",
        "KROG_LAEK": "x",
        "KROG_DATABASE": "mysql://x",
        "KROG_DEMO": "maybe",
        "KROG_URL": "http://x/path",
    }
    with pytest.raises(Misconfigured) as refused:
        load(wrong)
    said = str(refused.value)
    for name in wrong.keys() - {"KROG_VAR"}:
        assert name in said
    assert "a port from 0 to 65535" in said and "IANA time zone" in said and "There is no such setting" in said


def test_a_wrong_secret_is_not_repeated(tmp_path):
    assert "(secret)" in str(load({"KROG_VAR": str(tmp_path), "KROG_SECRET": "s3cret"}).items())


def test_the_own_secret_is_made_once_and_for_the_owner_alone(tmp_path):
    first = load({"KROG_VAR": str(tmp_path)})
    assert load({"KROG_VAR": str(tmp_path)}).secret == first.secret
    assert len(first.secret) >= 48
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_every_setting_has_help_and_an_allowed_default(tmp_path):
    load({"KROG_VAR": str(tmp_path)})
    assert all(setting.help.endswith(".") for setting in SETTINGS)
    with pytest.raises(AttributeError, match="KROG_NOTHING"):
        _ = load({"KROG_VAR": str(tmp_path)}).nothing


def test_trusted_proxies_are_addresses(tmp_path):
    assert load({"KROG_VAR": str(tmp_path), "KROG_PROXIES": "127.0.0.1, ::1"}).proxies == {"127.0.0.1", "::1"}
    with pytest.raises(Misconfigured, match="IP addresses"):
        load({"KROG_VAR": str(tmp_path), "KROG_PROXIES": "proxy.example"})


@pytest.mark.parametrize(
    ("tiles", "allowed"),
    [
        ("", True),
        ("https://tiles.example.org/{z}/{x}/{y}.png", True),
        ("https://maps.example.org/wms?BBOX={bbox-epsg-3857}&WIDTH=256", True),
        ("https://tiles.example.org/map.png", False),
        ("javascript:alert(1)/{z}/{x}/{y}", False),
        ("https://a.example.org/{z}/{x}/{y}; script-src *", False),
    ],
)
def test_map_tiles_are_an_address_with_its_places_to_fill(tiles: str, allowed: bool, tmp_path) -> None:
    given = {"KROG_VAR": str(tmp_path), "KROG_MAP_TILES": tiles}
    if allowed:
        assert load(given).map_tiles == tiles
    else:
        with pytest.raises(Misconfigured):
            load(given)


def test_the_content_policy_names_the_host_of_the_tiles_and_no_other() -> None:
    from krog.web.middleware import policy

    assert "http" not in policy("")
    told = policy("https://tiles.example.org:8443/{z}/{x}/{y}.png")
    assert told.count("https://tiles.example.org:8443") == 2
    assert "script-src 'self';" in told
