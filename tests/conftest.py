"""Fixtures of all tests: a folder of their own, the engine under test, readers by role."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_ENGINE = os.environ.get("KROG_TEST_ENGINE", "sqlite")
_HOME = tempfile.mkdtemp(prefix="krog-test-")

for _name in [name for name in os.environ if name.startswith("KROG_") and not name.startswith("KROG_TEST_")]:
    if _name not in ("KROG_SHARED", "KROG_PROVE"):
        del os.environ[_name]
os.environ.update(KROG_VAR=_HOME, KROG_DEMO="true", KROG_MQTT_PORT="0", KROG_MAIL_PORT="0")
os.environ.setdefault("KROG_SHARED", str(Path(__file__).parents[2] / "shared"))
# Not in pyproject.toml: pytest-django would import the settings before this file has chosen folder and engine.
os.environ["DJANGO_SETTINGS_MODULE"] = "krog.web.settings"
if _ENGINE == "postgres":
    from tests.postgres import server

    os.environ["KROG_DATABASE"] = server(Path(_HOME))
else:
    os.environ["KROG_DATABASE"] = f"sqlite:{_HOME}/krog.sqlite"

import django  # noqa: E402
import hypothesis  # noqa: E402
import pytest  # noqa: E402

django.setup()

from krog.base.grant import ANONYMOUS, Reader  # noqa: E402

# The same examples in every run, however slow the machine is; the long proof looks for new ones.
hypothesis.settings.register_profile("test", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("prove", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("prove" if os.environ.get("KROG_PROVE") == "1" else "test")


def pytest_report_header() -> str:
    return f"krog: engine {_ENGINE}"


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite is tested as the file that it is in use: in memory threads meet other locks than they would there."""
    from django.conf import settings

    if _ENGINE == "sqlite":
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"{_HOME}/test.sqlite"


@pytest.fixture(autouse=True)
def _nothing_cached() -> None:
    """Each test begins with the policy, the city and the throttles of its own database, not of the test before."""
    from django.core.cache import cache

    from krog.catalogue import door
    from krog.engine.cities import city

    door.forget()
    city.forget()
    cache.clear()


@pytest.fixture()
def reader() -> Callable[..., Reader]:
    """Makes readers: `reader("operator", offices={"vodovod"})`; without roles the anonymous one."""

    def make(
        *roles: str,
        name: str = "",
        id: int = 1,
        organisation: str = "mok",
        offices: set[str] | None = None,
        kind: str = "account",
    ) -> Reader:
        if not roles:
            return ANONYMOUS
        return Reader(
            kind=kind,
            id=id,
            name=name or " ".join(roles),
            roles=frozenset({"anonymous", *roles}),
            organisation=organisation,
            offices=frozenset(offices or ()),
            language="en",
        )

    return make


@pytest.fixture()
def dataset(db: None) -> Callable[..., str]:
    """Declares a dataset and gives its key: `dataset("mlaka-water", noun="streams", access="public")`."""
    from krog.base.declaration import Change
    from krog.catalogue import door, verbs
    from krog.people.permissions import SYSTEM

    def make(key: str, *, noun: str, access: str = "public", **fields: object) -> str:
        about = {"title": {"en": key}, "noun": noun, "access": access, **fields}
        verbs.declare_datasets(SYSTEM, changes=[Change(key, about)])
        door.forget()
        return key

    return make


@pytest.fixture()
def account(db: None) -> Callable[..., Reader]:
    """Makes an account that exists in the database and gives its reader."""
    from krog.people.identity import reader_of
    from krog.people.models import Account

    def make(
        key: str,
        *roles: str,
        offices: tuple[str, ...] = (),
        organisation: str = "mok",
        password: str = "",
        email: str = "",
        name: str = "",
        language: str = "en",
    ) -> Reader:
        row = Account(
            key=key,
            name=name or key,
            email=email or f"{key}@example.org",
            roles=list(roles),
            offices=list(offices),
            organisation=organisation,
            language=language,
        )
        if password:
            row.set_password(password)
        else:
            row.set_unusable_password()
        row.save()
        return reader_of(row)

    return make


@pytest.fixture()
def client_of(account: Callable[..., Reader]) -> Callable[..., object]:
    """A Django test client signed in as a new account: `client_of("ana", "planner")`."""
    from django.test import Client

    from krog.people.models import Account

    def make(key: str, *roles: str, **about: object) -> Client:
        account(key, *roles, **about)
        client = Client()
        client.force_login(Account.objects.get(key=key), backend="krog.people.backend.AccountBackend")
        return client

    return make


@pytest.fixture()
def own_values() -> None:
    """The test begins without observations: all tests of a run share one hot store."""
    from tests import sensing

    sensing.clear()


@pytest.fixture()
def english() -> Iterator[None]:
    """Errors of nouns speak English, whatever language the texts were compiled for."""
    from django.utils import translation

    with translation.override("en"):
        yield
