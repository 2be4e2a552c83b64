// The map's own quiet style, in the colours of the page's tokens.
// Grey where the stylesheet did not come: a map without colours still shows where things are.
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888888";

export const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function style() {
  const empty = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  const kind = (name) => ["==", ["get", "kind"], name];
  const byState = ["match", ["get", "state"], "ok", token("--ok"), "warn", token("--warn"), "bad", token("--bad"), "none", token("--none"), token("--brand")];
  return {
    version: 8,
    sources: { ground: empty, shapes: empty },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": token("--sunken") } },
      { id: "land", type: "fill", source: "ground", filter: kind("outline"), paint: { "fill-color": token("--map-land") } },
      { id: "settlement-area", type: "fill", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Polygon"]], paint: { "fill-color": token("--map-town") } },
      { id: "settlement-line", type: "line", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Polygon"]], paint: { "line-color": token("--line-2"), "line-width": 0.75 } },
      { id: "outline", type: "line", source: "ground", filter: kind("outline"), paint: { "line-color": token("--brand"), "line-width": 1.5 } },
      { id: "settlement", type: "circle", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Point"]], paint: { "circle-radius": 2, "circle-color": token("--line-2") } },
      { id: "shape-fill", type: "fill", source: "shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": byState, "fill-opacity": 0.18 } },
      { id: "shape-line", type: "line", source: "shapes", paint: { "line-color": byState, "line-width": 2.5 } },
    ],
  };
}
