// A table to work in: arrows move, Enter or typing opens a cell, Enter or Tab saves its row, Escape leaves it as it was.
export function sheets(root) {
  for (const table of root.querySelectorAll?.("table[data-sheet]") ?? []) work(table);
}

const cellsOf = (row) => [...row.querySelectorAll("td.cell")];

function work(table) {
  const prepare = (row) => { for (const cell of cellsOf(row)) cell.tabIndex = -1; };
  [...table.tBodies[0].rows].forEach(prepare);
  const first = table.querySelector("td.cell");
  if (first) first.tabIndex = 0;
  picking(table);

  const focus = (cell) => {
    if (!cell) return;
    table.querySelector('td.cell[tabindex="0"]')?.setAttribute("tabindex", "-1");
    cell.tabIndex = 0;
    cell.focus();
  };
  const beside = (cell, down, right) => {
    const row = cell.parentElement;
    const place = cellsOf(row).indexOf(cell);
    if (right) return cellsOf(row)[place + right];
    let next = row;
    for (let n = 0; n < Math.abs(down) && next; n += 1) next = down > 0 ? next.nextElementSibling : next.previousElementSibling;
    return next && cellsOf(next)[place];
  };

  function open(cell, typed) {
    if (cell.querySelector(".editor, [form=edit]")) return;
    const name = cell.dataset.field;
    const find = (choice) => [...document.querySelectorAll("template")].find(choice);
    const template = find((t) => t.dataset.editor === name) ?? find((t) => t.dataset.editorKind === cell.dataset.kind);
    if (!template) return;
    const editor = template.content.firstElementChild.cloneNode(true);
    editor.classList.add("editor");
    editor.setAttribute("aria-label", cell.dataset.label);
    editor.value = cell.dataset.tried ?? cell.dataset.value;
    if (typed && editor.tagName !== "SELECT") editor.value = typed;
    cell.querySelector(".shown")?.setAttribute("hidden", "");
    cell.prepend(editor);
    editor.focus();
    if (!typed) editor.select?.();
  }
  function close(cell) {
    cell.querySelector(".editor")?.remove();
    cell.querySelector(".shown")?.removeAttribute("hidden");
  }
  async function save(cell, next) {
    const editor = cell.querySelector(".editor");
    if (!editor || cell.classList.contains("saving")) return;
    if (editor.value === cell.dataset.value && cell.dataset.tried === undefined) { close(cell); focus(next ?? cell); return; }
    const row = cell.parentElement;
    const name = cell.dataset.field;
    const sent = new FormData();
    sent.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    sent.set("act", "row");
    sent.set("node", row.dataset.node);
    sent.set(`set.${name}`, editor.value);
    sent.set(`was.${name}`, cell.dataset.was ?? cell.dataset.value);
    cell.classList.add("saving");
    let answer = null;
    try {
      const response = await fetch(table.dataset.sheet, { method: "POST", body: sent, headers: { "X-Krog-Row": "1" } });
      if ([200, 409, 422].includes(response.status)) answer = await response.text();
    } catch { /* no answer: said below */ }
    cell.classList.remove("saving");
    const holder = document.createElement("tbody");
    if (answer !== null) holder.innerHTML = answer;
    const fresh = holder.querySelector("tr[data-node]");
    if (!fresh) { failed(cell, table.dataset.failed); editor.focus(); return; }
    const kept = row.querySelector("[name=node]")?.checked;
    const place = next && next.parentElement === row ? cellsOf(row).indexOf(next) : -1;
    const same = cellsOf(row).indexOf(cell);
    row.replaceWith(fresh);
    prepare(fresh);
    if (kept) fresh.querySelector("[name=node]").checked = true;
    const trouble = cellsOf(fresh)[same].matches(".wrong, .clash");
    focus(trouble ? cellsOf(fresh)[same] : place >= 0 ? cellsOf(fresh)[place] : (next ?? cellsOf(fresh)[same]));
  }
  function failed(cell, words) {
    cell.querySelector(".field-error")?.remove();
    const told = document.createElement("p");
    told.className = "field-error";
    told.setAttribute("role", "alert");
    told.textContent = words;
    cell.append(told);
  }

  table.addEventListener("dblclick", (event) => { const cell = event.target.closest("td.cell"); if (cell) open(cell); });
  table.addEventListener("click", (event) => {
    const cell = event.target.closest("td.cell");
    if (!cell || event.target.closest("a, button, .editor, [form=edit]")) return;
    if (document.activeElement === cell || matchMedia("(pointer: coarse)").matches) open(cell); else focus(cell);
  });
  table.addEventListener("focusout", (event) => {
    const cell = event.target.closest?.("td.cell");
    if (event.target.classList?.contains("editor") && !cell.contains(event.relatedTarget) && event.relatedTarget) save(cell, event.relatedTarget.closest("td.cell"));
  });
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td.cell");
    if (!cell || event.target.matches("[form=edit], a, button")) return;
    const editing = event.target.classList.contains("editor");
    if (editing) {
      if (event.key === "Escape") { event.preventDefault(); close(cell); focus(cell); }
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(cell, beside(cell, 1, 0)); }
      if (event.key === "Tab") { event.preventDefault(); save(cell, beside(cell, 0, event.shiftKey ? -1 : 1)); }
      return;
    }
    const way = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [10, 0], PageUp: [-10, 0] }[event.key];
    if (way) { event.preventDefault(); focus(beside(cell, ...way)); }
    else if (event.key === "Enter" || event.key === "F2") { event.preventDefault(); open(cell); }
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); open(cell, event.key); }
  });
}

// Ticking many rows: one box for the page, and how many are ticked beside the form that changes them.
function picking(table) {
  const all = table.querySelector("[data-pick-all]");
  const told = document.querySelector("[data-picked]");
  const boxes = () => [...table.querySelectorAll("tbody [name=node]")];
  const count = () => { if (told) told.textContent = `(${boxes().filter((box) => box.checked).length})`; };
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; count(); });
  }
  table.addEventListener("change", (event) => { if (event.target.name === "node") count(); });
  count();
}
