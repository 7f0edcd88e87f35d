// The ledger's table: filters, also from the address (#paper=reagent&verdict=contradicted), and sorting by a column.
(() => {
  const form = document.querySelector("form.attribook-filters");
  const table = document.querySelector(".attribook-ledger table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const columns = [...table.tHead.rows[0].cells].map(cell => cell.textContent);
  const text = (row, name) => row.cells[columns.indexOf(name)].textContent;
  const value = (row, name) => row.dataset[name] ?? (columns.includes(name) ? text(row, name) : "");
  const words = rows.map(row => row.textContent.toLowerCase());

  const filter = () => {
    const wanted = [...new FormData(form)].filter(([, choice]) => choice);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !wanted.every(([name, choice]) =>
        name === "word" ? words[i].includes(choice.toLowerCase()) : value(row, name) === choice);
      shown += !row.hidden;
    });
    form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
    history.replaceState(null, "", wanted.length ? "#" + new URLSearchParams(wanted) : location.pathname);
  };

  const fromAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const field of form.elements) if (field.name) field.value = given.get(field.name) ?? "";
    filter();
  };

  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (!head) return;
    const name = head.textContent;
    const falls = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const key = row => name === "verdict" ? row.dataset.verdict : text(row, name);
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (!x || !y) return !x - !y;  // nothing comes last, whichever way
      const [p, q] = [parseFloat(x), parseFloat(y)];
      const found = isNaN(p) || isNaN(q) ? x.localeCompare(y) : p - q;
      return falls ? -found : found;
    };
    body.append(...[...rows].sort(order));
  });

  form.addEventListener("input", filter);
  window.addEventListener("hashchange", fromAddress);
  fromAddress();
})();
