"""A city's demo input over real MQTT: recordings shifted to now, simulated sensors beside them, each marked as such."""

from krog.sources.replay.player import Outcome, run

__all__ = ["Outcome", "run"]
