"""The public port: observations in, live values out, MQTT beside it; everything else is handed to the pages."""
