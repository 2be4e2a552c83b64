"""MQTT in and out: the embedded listener of the ingest process (3.1.1 and 5, QoS 0 and 1)."""
