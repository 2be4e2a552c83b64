// Live values: one stream of server-sent events for all elements with data-live="<datastream key>" on the page.
import { amount, since } from "./words.js";

// A page that is only glimpsed at (a preview, a picture, a printer) opens no stream: it begins with the first sign of a
// person, or when the page has stood open for a while.
const SIGNS = ["pointermove", "pointerdown", "touchstart", "scroll", "keydown", "focus"];
const A_WHILE_MS = 7000;

let source = null;
let watched = "";
let begun = false;
const begin = new Promise((start) => {
  const once = () => {
    begun = true;
    for (const sign of SIGNS) removeEventListener(sign, once, true);
    start();
  };
  for (const sign of SIGNS) addEventListener(sign, once, { capture: true, passive: true });
  setTimeout(once, A_WHILE_MS);
});

export function follow(root) {
  if (!begun) {
    begin.then(() => follow(root));
    return;
  }
  const places = new Map();
  for (const place of root.querySelectorAll("[data-live]")) {
    const key = place.dataset.live;
    if (key) places.set(key, [...(places.get(key) ?? []), place]);
  }
  const wanted = [...places.keys()].sort().join(",");
  if (wanted === watched || !("EventSource" in window)) return;
  source?.close();
  watched = wanted;
  if (!wanted) return;
  source = new EventSource(`/live?streams=${encodeURIComponent(wanted)}`);
  const take = (event) => {
    let reading;
    try {
      reading = JSON.parse(event.data);
    } catch {
      return;
    }
    for (const one of Array.isArray(reading) ? reading : [reading]) {
      for (const place of root.querySelectorAll(`[data-live="${CSS.escape(one.datastream ?? "")}"]`)) show(place, one);
    }
  };
  source.onmessage = take;
}

function show(place, reading) {
  const lang = place.dataset.lang || document.documentElement.lang;
  const when = place.querySelector("[data-live-when]");
  const time = typeof reading.time === "number" ? new Date(reading.time / 1000) : new Date(reading.time);
  if (when?.dateTime && time < new Date(when.dateTime)) return;
  const value = place.querySelector("[data-live-value]") ?? place;
  const text = amount(reading.value, lang, place.dataset.decimals);
  const changed = value.textContent !== text;
  value.textContent = text;
  if (when) {
    when.dateTime = time.toISOString();
    when.textContent = since(time, lang);
  }
  place.classList.remove("stale");
  if (changed) {
    place.classList.remove("flash");
    void place.offsetWidth;
    place.classList.add("flash");
  }
  place.dispatchEvent(new CustomEvent("krog:reading", { bubbles: true, detail: reading }));
}

// The age of every value shown keeps true while the page stays open.
setInterval(() => {
  for (const when of document.querySelectorAll("[data-live-when]")) {
    if (when.dateTime) when.textContent = since(new Date(when.dateTime), document.documentElement.lang);
  }
}, 20000);
