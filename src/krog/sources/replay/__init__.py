"""Recordings of real sensors, published over MQTT with their times shifted to now; else simulated ones."""
