// The map's own quiet style, in the colours of the page's tokens.
// Grey where the stylesheet did not come: a map without colours still shows where things are.
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888888";

export const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function style(tiles) {
  const empty = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  const kind = (name) => ["==", ["get", "kind"], name];
  const byState = ["match", ["get", "state"], "ok", token("--ok"), "warn", token("--warn"), "bad", token("--bad"), "none", token("--none"), token("--brand")];
  const raster = tiles ? { tiles: { type: "raster", tiles: [tiles], tileSize: 256, maxzoom: 19 } } : {};
  const many = { ...empty, promoteId: "id", buffer: 16, tolerance: 0.3 };
  const clustered = ["has", "count"];
  return {
    version: 8,
    sources: { ground: empty, shapes: empty, many, ...raster },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": token("--sunken") } },
      ...(tiles ? [{ id: "tiles", type: "raster", source: "tiles", paint: { "raster-fade-duration": 0 } }] : []),
      { id: "land", type: "fill", source: "ground", filter: kind("outline"), paint: { "fill-color": token("--map-land"), "fill-opacity": tiles ? 0 : 1 } },
      { id: "settlement-area", type: "fill", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Polygon"]], paint: { "fill-color": token("--map-town") } },
      { id: "settlement-line", type: "line", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Polygon"]], paint: { "line-color": token("--line-2"), "line-width": 0.75 } },
      { id: "outline", type: "line", source: "ground", filter: kind("outline"), paint: { "line-color": token("--brand"), "line-width": 1.5 } },
      { id: "settlement", type: "circle", source: "ground", filter: ["all", kind("settlement"), ["==", ["geometry-type"], "Point"]], paint: { "circle-radius": 2, "circle-color": token("--line-2") } },
      { id: "shape-fill", type: "fill", source: "shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": byState, "fill-opacity": 0.18 } },
      { id: "shape-line", type: "line", source: "shapes", paint: { "line-color": byState, "line-width": 2.5 } },
      { id: "many-fill", type: "fill", source: "many", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": byState, "fill-opacity": 0.18 } },
      { id: "many-line", type: "line", source: "many", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": byState, "line-width": 2 } },
      { id: "many-point", type: "circle", source: "many", filter: ["all", ["==", ["geometry-type"], "Point"], ["!", clustered]], paint: { "circle-radius": ["case", ["boolean", ["feature-state", "chosen"], false], 9, 5], "circle-color": byState, "circle-stroke-width": 1, "circle-stroke-color": token("--card") } },
      { id: "many-cell", type: "circle", source: "many", filter: clustered, paint: { "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "count"]], 1, 4, 12, 9, 60, 22], "circle-color": token("--brand"), "circle-opacity": 0.75, "circle-stroke-width": 1, "circle-stroke-color": token("--card") } },
    ],
  };
}
