"""The Open API of use: how often services were started and finished, by day, channel and language."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from ninja import Router

from krog.base import times
from krog.base.errors import Invalid
from krog.base.settings import settings
from krog.catalogue import door, reads, usage
from krog.web.request import Request

router = Router(tags=["usage"])

#: Days that one answer covers.
MOST = 1100


@router.get("/", summary="Use of services by day, channel and language; the last 31 days unless `start` and `end` say")
def use(
    request: Request, start: date | None = None, end: date | None = None, service: str = "", channel: str = ""
) -> dict[str, Any]:
    last = end or times.local_date(times.now(), settings().timezone)
    first = start or (last - timedelta(days=30) if last.toordinal() > 31 else last)
    if first > last or (last - first).days > MOST:
        raise Invalid("These are not days of use.", "start, end", f"start before end, at most {MOST} days")
    if channel and channel not in usage.CHANNELS:
        raise Invalid(f"There is no channel {channel!r}.", "channel", ", ".join(usage.CHANNELS))
    if service and not usage.SERVICE.match(service):
        raise Invalid("This is not the name of a service.", "service", "such as report or report:pothole")
    found = reads.service_use(door.open(request.reader, "api", kind="catalogue"), first, last, service, channel)
    return {
        "start": first.isoformat(),
        "end": last.isoformat(),
        "items": [
            {
                "day": each.day.isoformat(),
                "service": each.service,
                "channel": each.channel,
                "language": each.language,
                "started": each.started,
                "finished": each.finished,
                "abandoned": each.abandoned,
            }
            for each in found
        ],
    }
