"""From a reading published by MQTT to its value on an open page in Chromium, in ms. Asked: ≤ 2 s."""

from __future__ import annotations

import re
import shutil
import time

import paho.mqtt.client as mqtt
from playwright.sync_api import sync_playwright

from benchmarks.machine import demo, percentile, report

STREAM, RUNS = "sava-okroglo-flow", 40


def main() -> None:
    with demo(port=8631) as running, sync_playwright() as playwright:
        port = re.search(r"mosquitto_pub -p (\d+)", running.log.read_text())
        assert port
        key_id, _, secret = running.key.partition(".")
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.username_pw_set(key_id, secret)
        client.connect("127.0.0.1", int(port[1]))
        client.loop_start()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(locale="en-GB")
        time.sleep(30)  # The history comes in first.
        page.goto(f"{running.url}/en/streams/{STREAM}")
        page.mouse.move(300, 300)
        page.wait_for_timeout(3000)
        took = []
        for n in range(RUNS):
            value = 101 + n
            shown = page.locator(f"[data-live='{STREAM}'] [data-live-value]:has-text('{value}')").first
            began = time.perf_counter()
            client.publish(f"krog/{STREAM}", str(value), qos=1).wait_for_publish(10)
            shown.wait_for(timeout=10_000)
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.2)
        browser.close()
        client.loop_stop()
        report(
            "live",
            runs=RUNS,
            p50_ms=round(percentile(took, 0.5)),
            p95_ms=round(percentile(took, 0.95)),
            max_ms=round(max(took)),
        )


if __name__ == "__main__":
    main()
