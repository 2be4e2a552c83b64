// Small aids that a page does without: the desk's menu open on wide screens, errors focused, tables sorted.
export function fold(root) {
  const wide = matchMedia("(min-width: 861px)");
  for (const details of root.querySelectorAll("details[data-open-wide]")) {
    const set = () => { details.open = wide.matches; };
    set();
    wide.addEventListener("change", set);
  }
}

export function focusErrors(root) {
  root.querySelector("[data-focus]")?.focus();
}

// What scrolls sideways can be reached and scrolled by keyboard.
export function reachScrollers(root) {
  for (const box of root.querySelectorAll?.(".table-scroll:not([tabindex])") ?? []) {
    if (box.scrollWidth <= box.clientWidth) continue;
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.querySelector("caption")?.textContent.trim() || document.title);
  }
}

// A choice that only filters the page need not be confirmed; its button stays for those without script.
export function submitOnChange(root) {
  for (const select of root.querySelectorAll("select[data-submit]")) {
    select.form?.querySelector("button")?.classList.add("sr-only");
    select.addEventListener("change", () => select.form?.requestSubmit());
  }
}

const text = (row, index) => row.cells[index]?.dataset.sort ?? row.cells[index]?.textContent.trim() ?? "";

function compare(a, b) {
  const [x, y] = [a, b].map((value) => (value === "" || Number.isNaN(Number(value)) ? null : Number(value)));
  if (x !== null && y !== null) return x - y;
  return a.localeCompare(b, document.documentElement.lang, { numeric: true });
}

export function sortTables(root) {
  for (const table of root.querySelectorAll?.("table[data-sortable]") ?? []) {
    [...(table.tHead?.rows[0]?.cells ?? [])].forEach((head, index) => {
      if (head.querySelector("button") || head.dataset.sortable === "no" || !head.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? 1 : -1) * compare(text(a, index), text(b, index)));
        table.tBodies[0].append(...rows);
      });
    });
  }
}

// The place of a report: where the reader is now, or a point chosen on a map that is fetched only when it is opened.
export function places(root) {
  for (const button of root.querySelectorAll?.("button[data-locate]") ?? []) {
    if (!navigator.geolocation) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      navigator.geolocation.getCurrentPosition(({ coords }) => setPlace(button.dataset.locate, coords.longitude, coords.latitude));
    });
  }
  for (const details of root.querySelectorAll?.("details[data-map-script]") ?? []) {
    const fetchMap = () => { if (details.open) import(new URL(details.dataset.mapScript, location.href).href); };
    details.addEventListener("toggle", fetchMap);
    fetchMap();
  }
}

// A map is large: its script comes when the map is about to be seen. Until then, and without it, the list says the same.
export function maps(root) {
  const waiting = [...root.querySelectorAll(".map[data-map-script]")];
  if (!waiting.length) return;
  const seen = new IntersectionObserver((entries) => {
    const first = entries.find((entry) => entry.isIntersecting);
    if (!first) return;
    seen.disconnect();
    import(new URL(first.target.dataset.mapScript, location.href).href);
  }, { rootMargin: "300px" });
  for (const map of waiting) seen.observe(map);
}

function setPlace(ids, lon, lat) {
  const [east, north] = ids.split(" ").map((id) => document.getElementById(id));
  east.value = lon.toFixed(6);
  north.value = lat.toFixed(6);
  north.dispatchEvent(new Event("change", { bubbles: true }));
}
