// What the theme lacks: its two toggles, cues of wide tables, and heat maps that answer to keys and taps.
(() => {
  // -- toggles -----------------------------------------------------------------------------------------------------
  // The theme binds the first of two buttons of a kind, which stands in a bar that is not shown.
  const wide = sidebar => sidebar && getComputedStyle(sidebar).visibility === "visible" && sidebar.getBoundingClientRect().right > 0;
  for (const kind of ["primary", "secondary"]) {
    const [bound, ...others] = document.querySelectorAll(`button.${kind}-toggle`);
    const sidebar = document.querySelector(`#pst-${kind}-sidebar`);
    for (const button of others) {
      button.setAttribute("aria-label", kind === "primary" ? "Contents of the book" : "Contents of this page");
      button.addEventListener("click", event => {
        event.preventDefault();
        if (sidebar?.classList.contains("attribook-folded")) sidebar.classList.remove("attribook-folded");
        else if (wide(sidebar)) sidebar.classList.add("attribook-folded");
        else bound.click();
        button.setAttribute("aria-expanded", String(wide(sidebar)));
      });
    }
  }

  // -- wide tables: a shade where more is to the right, and keys that scroll -------------------------------------------
  const boxes = [...document.querySelectorAll(".attribook-scroll, .attribook-summary, .attribook-ledger")];
  const cue = box => {
    const hidden = box.scrollWidth - box.clientWidth;
    box.classList.toggle("attribook-more", hidden > 1 && box.scrollLeft < hidden - 1);
    if (hidden > 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.querySelector("caption")?.textContent || "table");
    } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  };
  const resized = new ResizeObserver(entries => entries.forEach(entry => cue(entry.target)));
  for (const box of boxes) {
    box.addEventListener("scroll", () => cue(box), { passive: true });
    resized.observe(box);
  }

  // -- heat maps -----------------------------------------------------------------------------------------------------
  const tokens = cell => [...cell.querySelectorAll("span[title]")];
  const show = (cell, place) => {
    const spans = tokens(cell);
    const now = Math.max(0, Math.min(place, spans.length - 1));
    spans.forEach((span, number) => span.classList.toggle("attribook-now", number === now));
    cell.dataset.place = now;
    let told = cell.querySelector("output");
    if (!told) {
      told = cell.appendChild(document.createElement("output"));
      told.className = "attribook-score";
    }
    told.textContent = `${spans[now].textContent.trim() || "space"}: ${spans[now].title}`;
  };
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  for (const cell of document.querySelectorAll(".attribook-heat td")) {
    if (!tokens(cell).length) continue;
    const name = cell.closest("tr").querySelector("th")?.firstChild?.textContent ?? "scores";
    cell.tabIndex = 0;
    cell.setAttribute("role", "group");
    cell.setAttribute("aria-label", `${name}: arrow keys tell the score of each token`);
    cell.addEventListener("focus", () => show(cell, Number(cell.dataset.place ?? 0)));
    cell.addEventListener("click", event => {
      const place = tokens(cell).indexOf(event.target.closest("span[title]"));
      if (place >= 0) show(cell, place);
    });
    cell.addEventListener("keydown", event => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      show(cell, Number(cell.dataset.place ?? 0) + steps[event.key]);
    });
  }

  // The same numbers as a table, made when it is opened: a page would hold them twice.
  for (const heat of document.querySelectorAll("table.attribook-heat")) {
    const rows = [...heat.rows].filter(row => tokens(row.cells[1] ?? row).length);
    if (!rows.length) continue;
    const details = document.createElement("details");
    details.className = "attribook-scores";
    details.innerHTML = "<summary>Scores as a table</summary>";
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) return;
      const table = details.appendChild(document.createElement("table"));
      table.className = "attribook-table";
      const line = (parent, cells, kind) => {
        const row = parent.insertRow();
        cells.forEach((text, number) => {
          const cell = row.appendChild(document.createElement(number && kind === "td" ? "td" : "th"));
          cell.textContent = text;
        });
      };
      line(table.createTHead(), ["token", ...rows.map(row => row.cells[0].firstChild.textContent)], "th");
      const body = table.createTBody();
      const columns = rows.map(row => tokens(row.cells[1]));
      columns[0].forEach((span, place) =>
        line(body, [span.textContent.trim() || "space", ...columns.map(column => column[place]?.title ?? "")], "td"));
    });
    heat.after(details);
  }
})();
