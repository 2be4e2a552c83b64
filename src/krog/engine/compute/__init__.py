"""Computes indicators over pinned versions of the lake, checks old values again, and asks people for theirs."""

from __future__ import annotations

from krog.engine.schedule import Schedule


def compute() -> None:
    """One round of computing."""
    from krog.engine.compute.run import compute_all  # the engine is loaded on first use, in the work process only

    compute_all()


def check() -> None:
    """Computes some values again: those that people asked about, then new ones."""
    from krog.engine.compute.verify import check_some

    check_some()


def ask() -> None:
    """Asks for the values that are due from people."""
    from krog.engine.compute.asking import ask_due

    ask_due()


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("compute.indicators", 20.0, compute),
    Schedule("compute.check", 30.0, check),
    Schedule("compute.ask", 300.0, ask),
)
