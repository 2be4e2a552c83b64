"""Work with the database away from the event loop: a few threads of their own, with their own connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="krog-off-loop")


async def off_loop(call: Callable[[], T]) -> T:
    """Runs `call`, which may use the ORM, in one of the threads."""

    def run() -> T:
        close_old_connections()
        try:
            return call()
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_threads, run)
