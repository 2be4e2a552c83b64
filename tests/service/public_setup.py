"""Prepares the database of a Krog under test, in a process of its own: tables, a few datastreams, two keys."""

from __future__ import annotations

import json
import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
    django.setup()
    from django.core.management import call_command

    from krog.base.declaration import Change
    from krog.people import keys, providers
    from krog.people.permissions import SYSTEM
    from tests import sensing

    call_command("migrate", verbosity=0, interactive=False)
    organisation = next(each for each in providers.DECLARATIONS if each.kind == "organisation")
    organisation.write(
        SYSTEM, [Change(key, {"title": {"en": key}, "kind": "company"}) for key in ("komunala-kranj", "arso", "mok")]
    )
    sensing.dataset("mlaka-water", noun="streams")
    sensing.dataset("closed", noun="streams", access="official", organisation="komunala-kranj")
    sensing.declare(
        inflow=sensing.stream(), delivery=sensing.stream(role="delivery"), closed_flow=sensing.stream(dataset="closed")
    )
    own = keys.create(SYSTEM, title="gateway", organisation="komunala-kranj")
    other = keys.create(SYSTEM, title="stranger", organisation="arso")
    print(json.dumps({"own": [own.id, own.secret], "other": [other.id, other.secret]}))


if __name__ == "__main__":
    main()
