// Maps: a quiet base from the municipality's own outline, the page's features on top, the list beside kept in step.
import { LngLatBounds as Bounds, Map as View, Marker, NavigationControl, Popup, ScaleControl, setWorkerUrl } from "maplibre-gl";
import { many } from "./map-many.js";
import { reduced, style } from "./map-style.js";

const FIT = { padding: 40, maxZoom: 15 };

for (const element of document.querySelectorAll("[data-map]")) open(element);

function open(element) {
  const data = element.dataset;
  const features = data.source ? { type: "FeatureCollection", features: [] } : JSON.parse(document.getElementById(data.features).textContent);
  const bounds = data.bounds ? data.bounds.split(",").map(Number) : null;
  setWorkerUrl(new URL(data.worker, location.href).href);
  element.hidden = false;
  let view;
  try {
    view = new View({
      container: element, style: style(data.tiles), bounds: bounds ?? [13.35, 45.4, 16.6, 46.9],
      fitBoundsOptions: FIT, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      cooperativeGestures: matchMedia("(pointer: coarse)").matches, maxZoom: 18, minZoom: 8,
      locale: { "NavigationControl.ZoomIn": data.zoomIn, "NavigationControl.ZoomOut": data.zoomOut, "Popup.Close": data.close, "CooperativeGesturesHandler.MobileHelpText": data.twoFingers, "Map.Title": data.title },
    });
  } catch {
    // No WebGL: the list beside says the same.
    element.hidden = true;
    return;
  }
  view.touchZoomRotate.disableRotation();
  keepInView(view, element, bounds);
  view.addControl(new NavigationControl({ showCompass: false }), "top-right");
  view.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  const section = element.closest(".map");
  if (data.pick) pick(view, data.pick);
  view.on("load", async () => {
    await Promise.all([base(view, data.base, bounds, points), data.source ? many(view, data, section) : null]);
    shapes(view, features);
    view.once("idle", () => {
      element.dataset.ready = "true";
      // How long it took since the page was asked for, for those who measure.
      element.dataset.drawn = String(Math.round(performance.now()));
      element.dataset.count = String(view.krogCount ?? features.features.length);
    });
  });
  // What needs attention is drawn last, above the rest.
  const order = ["none", "", "ok", "warn", "bad"];
  const points = features.features.filter((feature) => feature.geometry?.type === "Point");
  points.sort((a, b) => order.indexOf(a.properties?.state ?? "") - order.indexOf(b.properties?.state ?? ""));
  for (const feature of points) point(view, feature, section, data);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
}

// A click sets the point of a form; what is typed into its fields moves the mark.
function pick(view, ids) {
  const [east, north] = ids.split(" ").map((id) => document.getElementById(id));
  const mark = new Marker();
  const show = () => {
    if (east.value && north.value) mark.setLngLat([Number(east.value), Number(north.value)]).addTo(view);
    else mark.remove();
  };
  view.on("click", ({ lngLat }) => {
    east.value = lngLat.lng.toFixed(6);
    north.value = lngLat.lat.toFixed(6);
    show();
  });
  for (const field of [east, north]) field.addEventListener("change", show);
  show();
}

// Until the reader moves the map it shows all its features, however the page around it changes size.
function keepInView(view, element, bounds) {
  let moved = false;
  view.on("movestart", (event) => { moved ||= Boolean(event.originalEvent); });
  new ResizeObserver(() => {
    view.resize();
    const shown = bounds ?? view.krogBounds;
    if (shown && !moved) view.fitBounds(shown, { ...FIT, animate: false });
  }).observe(element);
}

async function base(view, address, bounds, points) {
  if (!address) return;
  const answer = await fetch(address);
  if (!answer.ok) return;
  const ground = await answer.json();
  view.getSource("ground").setData(ground);
  if (!bounds) {
    // Nothing to show yet: the whole municipality.
    const around = new Bounds();
    for (const feature of ground.features) {
      if (feature.properties?.kind !== "outline") continue;
      const numbers = feature.geometry.coordinates.flat(Infinity);
      for (let index = 0; index < numbers.length; index += 2) around.extend([numbers[index], numbers[index + 1]]);
    }
    if (!around.isEmpty()) {
      view.krogBounds = around;
      view.fitBounds(around, { ...FIT, animate: false });
    }
  }
  const labels = [];
  for (const feature of ground.features) {
    if (feature.properties?.kind !== "settlement" || feature.geometry?.type !== "Point") continue;
    const { title, rank } = feature.properties;
    const name = document.createElement("span");
    name.className = rank === 1 ? "map-place" : "map-place small";
    name.textContent = title;
    name.setAttribute("aria-hidden", "true");
    const at = feature.geometry.coordinates;
    labels.push({ title, rank: rank ?? 9, at, name });
    new Marker({ element: name, anchor: "center" }).setLngLat(at).addTo(view);
  }
  labels.sort((a, b) => a.rank - b.rank);
  const thin = () => declutter(view, labels, points);
  thin();
  view.on("moveend", thin);
}

// Names of settlements that would run into each other stay away until the reader zooms in.
function declutter(view, labels, points) {
  const taken = points.map((point) => {
    const { x, y } = view.project(point.geometry.coordinates);
    return [x - 12, y - 12, x + 12, y + 12];
  });
  for (const { title, at, name } of labels) {
    const { x, y } = view.project(at);
    const half = title.length * 4 + 6;
    const free = taken.every(([x0, y0, x1, y1]) => x - half > x1 || x + half < x0 || y - 10 > y1 || y + 10 < y0);
    name.hidden = !free;
    if (free) taken.push([x - half, y - 10, x + half, y + 10]);
  }
}

function shapes(view, features) {
  const drawn = features.features.filter((f) => f.geometry && f.geometry.type !== "Point");
  view.getSource("shapes").setData({ type: "FeatureCollection", features: drawn });
}

function point(view, feature, section, data) {
  const about = feature.properties ?? {};
  const button = document.createElement("button");
  button.type = "button";
  button.className = `map-marker ${about.state ?? ""}`;
  button.setAttribute("aria-label", [about.title, about.word, about.text].filter(Boolean).join(", "));
  button.setAttribute("aria-expanded", "false");
  const words = document.createElement("div");
  const title = document.createElement("b");
  title.textContent = about.title ?? "";
  words.append(title);
  for (const line of [about.word, about.text]) {
    if (!line) continue;
    const row = document.createElement("div");
    row.textContent = line;
    words.append(row);
  }
  if (about.href) {
    const link = document.createElement("a");
    link.href = about.href;
    link.textContent = data.more;
    link.setAttribute("aria-label", `${data.more}: ${about.title}`);
    words.append(link);
  }
  const popup = new Popup({ offset: 16, maxWidth: "280px", focusAfterOpen: true }).setDOMContent(words);
  const row = section.querySelector(`[data-place="${CSS.escape(String(feature.id ?? about.id ?? ""))}"]`);
  popup.on("open", () => { button.setAttribute("aria-expanded", "true"); row?.classList.add("chosen"); row?.scrollIntoView({ block: "nearest", behavior: reduced() ? "auto" : "smooth" }); });
  popup.on("close", () => { button.setAttribute("aria-expanded", "false"); row?.classList.remove("chosen"); button.focus({ preventScroll: true }); });
  const marker = new Marker({ element: button, anchor: "center" }).setLngLat(feature.geometry.coordinates).addTo(view);
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    if (popup.isOpen()) popup.remove();
    else popup.setLngLat(feature.geometry.coordinates).addTo(view);
  });
  words.addEventListener("keydown", (event) => { if (event.key === "Escape") popup.remove(); });
  button.addEventListener("keydown", (event) => { if (event.key === "Escape") popup.remove(); });
  row?.addEventListener("mouseenter", () => button.classList.add("hover"));
  row?.addEventListener("mouseleave", () => button.classList.remove("hover"));
  return marker;
}
