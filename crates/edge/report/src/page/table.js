// The results table: sorting and check boxes. The table itself is in the page already.

function buildTable() {
  const table = byId("results");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (column === 0) return;
    const label = head.textContent;
    head.replaceChildren(
      el("button", { type: "button", onclick: () => sortBy(body, heads, column) }, label),
    );
  });
  for (const box of body.querySelectorAll("input")) {
    box.disabled = false;
    box.addEventListener("change", () => toggle(Number(box.value), box.checked));
  }
  const follow = () => {
    for (const box of body.querySelectorAll("input")) box.checked = view.selected.has(Number(box.value));
  };
  view.listeners.push(follow);
}

function sortBy(body, heads, column) {
  const again = heads[column].getAttribute("aria-sort") === "ascending";
  const sign = again ? -1 : 1;
  const value = (row) => row.cells[column].dataset.v;
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    const [m, n] = [Number(x), Number(y)];
    return column > 1 && !Number.isNaN(m) && !Number.isNaN(n) ? m - n : x.localeCompare(y);
  };
  [...body.rows].sort((a, b) => sign * compare(a, b)).forEach((row) => body.append(row));
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", again ? "descending" : "ascending");
}
