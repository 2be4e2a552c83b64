"""A process that moves, forgets and joins without a pause, until it is killed: see test_tier_kill."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")

import django

django.setup()

from krog.base.settings import settings  # noqa: E402
from krog.engine.tier import Tier  # noqa: E402
from krog.lake import table  # noqa: E402

table.SMALL_FILES = 4
table.CHECKPOINT_EVERY = 5

tier = Tier(settings().path("hot"), settings().path("lake"), hot_days=0, most=50)
sys.stdout.write("ready\n")
sys.stdout.flush()
while True:
    tier.move()
    tier.tidy()
