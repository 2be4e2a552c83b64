// Many features: loaded for what is in view, drawn as one layer, told in the list beside as far as they are in view.
import { Popup } from "maplibre-gl";

const LISTED = 60;
const LAYERS = ["many-point", "many-cell", "many-line", "many-fill"];

export function many(view, data, section) {
  const list = document.getElementById(data.list);
  const count = section.querySelector("[data-map-count]");
  const popup = new Popup({ offset: 10, maxWidth: "280px", focusAfterOpen: true });
  let features = [];
  let whole = false;
  let asked = 0;
  let wait;

  const box = () => {
    const bounds = view.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  };

  async function load() {
    const mine = ++asked;
    const address = new URL(data.source, location.href);
    if (whole === false && view.krogMoved) address.searchParams.set("bbox", box().map((side) => side.toFixed(5)).join(","));
    let found;
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(answer.statusText);
      found = await answer.json();
    } catch {
      count.textContent = data.failed;
      view.krogLoaded = true;
      return;
    }
    if (mine !== asked) return;
    features = found.features;
    // All there are came with the first answer: moving asks for no more.
    whole = whole || (found.complete === true && !address.searchParams.has("bbox"));
    view.getSource("many").setData(found);
    view.krogLoaded = true;
    view.krogCount = features.length;
    tell();
  }

  function inView() {
    const [west, south, east, north] = box();
    return features.filter(({ geometry, properties }) => {
      const [x0, y0, x1, y1] = properties.box ?? [...geometry.coordinates, ...geometry.coordinates];
      return x0 <= east && x1 >= west && y0 <= north && y1 >= south;
    });
  }

  function tell() {
    const seen = inView();
    const cells = seen.filter(({ properties }) => properties.count);
    const total = seen.length - cells.length + cells.reduce((sum, { properties }) => sum + properties.count, 0);
    const number = new Intl.NumberFormat(document.documentElement.lang).format(total);
    count.textContent = total ? `${data.inView} ${number}.${cells.length || seen.length > LISTED ? ` ${data.closer}` : ""}` : data.nothing;
    list.replaceChildren(...seen.filter(({ properties }) => !properties.count).slice(0, LISTED).map(row));
  }

  function link(properties) {
    const element = document.createElement("a");
    element.href = data.href.replace("%7Bid%7D", "{id}").replace("{id}", encodeURIComponent(properties.id));
    const title = document.createElement("b");
    title.textContent = properties.title;
    element.append(title);
    return element;
  }

  function row({ properties }) {
    const item = document.createElement("li");
    item.append(link(properties));
    const words = [properties.word, properties.text].filter(Boolean).join(", ");
    if (words) {
      const more = document.createElement("span");
      more.className = "meta";
      more.textContent = words;
      item.append(more);
    }
    const choose = (chosen) => () => view.setFeatureState({ source: "many", id: properties.id }, { chosen });
    item.addEventListener("mouseenter", choose(true));
    item.addEventListener("mouseleave", choose(false));
    item.addEventListener("focusin", choose(true));
    item.addEventListener("focusout", choose(false));
    return item;
  }

  view.on("click", (event) => {
    const [found] = view.queryRenderedFeatures(event.point, { layers: LAYERS });
    if (!found) return;
    if (found.properties.count) {
      view.easeTo({ center: found.geometry.coordinates, zoom: view.getZoom() + 2 });
      return;
    }
    const words = document.createElement("div");
    words.append(link(found.properties));
    for (const text of [found.properties.word, found.properties.text]) {
      if (!text) continue;
      const line = document.createElement("div");
      line.textContent = text;
      words.append(line);
    }
    popup.setLngLat(event.lngLat).setDOMContent(words).addTo(view);
  });
  for (const layer of LAYERS) {
    view.on("mouseenter", layer, () => { view.getCanvas().style.cursor = "pointer"; });
    view.on("mouseleave", layer, () => { view.getCanvas().style.cursor = ""; });
  }
  view.on("movestart", (event) => { view.krogMoved ||= Boolean(event.originalEvent); });
  view.on("moveend", () => {
    if (!view.krogLoaded) return;
    tell();
    clearTimeout(wait);
    // A programmatic zoom into a cell is a move of the reader's too.
    view.krogMoved ||= features.some(({ properties }) => properties.count);
    if (!whole && view.krogMoved) wait = setTimeout(load, 150);
  });
  return load();
}
