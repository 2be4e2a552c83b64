"""The tree of errors: what went wrong, where, what is allowed, what to do next.

Every error that a person or a program may meet is one of these. `status` is the HTTP status it is
rendered with (once, in `web.problems`), `code` is for machines, `str(error)` a sentence for people.
A `Transient` error may succeed if tried again; all others will not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One mistake: `where` (a path such as `streams.toml:12 unit`), `what`, `allowed`, `todo`."""

    what: str
    where: str = ""
    allowed: str = ""
    todo: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            parts.append(f"Allowed: {self.allowed}.")
        if self.todo:
            parts.append(self.todo)
        return " ".join(parts)


@dataclass(eq=False)
class KrogError(Exception):
    """The root. Raise one of its kinds, with `what` as a full sentence."""

    what: str
    where: str = ""
    allowed: str = ""
    todo: str = ""
    problems: tuple[Problem, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    status = 500
    code = "error"

    def __post_init__(self) -> None:
        Exception.__init__(self, self.what)

    def __str__(self) -> str:
        own = str(Problem(self.what, self.where, self.allowed, self.todo))
        return "\n".join([own, *(f"  {problem}" for problem in self.problems)])


class Invalid(KrogError):
    """What was given is not of the allowed form; nothing was changed."""

    status = 400
    code = "invalid"


class Unauthenticated(KrogError):
    """Nobody is known by these credentials."""

    status = 401
    code = "unauthenticated"


class Forbidden(KrogError):
    """The reader is known, and may not do this."""

    status = 403
    code = "forbidden"


class NotFound(KrogError):
    """There is no such thing, or none that this reader may know of."""

    status = 404
    code = "not-found"


class Conflict(KrogError):
    """The thing has moved on since it was read: closed, answered, changed by somebody else."""

    status = 409
    code = "conflict"


class TooLarge(KrogError):
    """More than one request may carry."""

    status = 413
    code = "too-large"


class Misconfigured(KrogError):
    """A setting has a value that is not allowed; Krog does not start."""

    code = "misconfigured"


class Transient(KrogError):
    """May succeed if tried again; `retry_after` says in how many seconds."""

    status = 503
    code = "unavailable"
    retry_after = 1


class Busy(Transient):
    """More is asked than can be taken right now; nothing was lost."""

    status = 429
    code = "busy"


def invalid(problems: Iterable[Problem], what: str) -> Invalid:
    """An `Invalid` that lists every mistake at once."""
    return Invalid(what, problems=tuple(problems))
