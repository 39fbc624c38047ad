// Copyright (c) 2026 emailsec.cloudflare contributors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The page is complete without this: it adds finding and sorting.
(() => {
  const table = document.getElementById("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const find = document.getElementById("find");
  const only = document.getElementById("only");
  const shown = document.getElementById("shown");

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of rows) {
      const fits = (!only.value || row.dataset.status === only.value) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} shown`;
  }

  function sort(heading, index) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = new Intl.Collator(undefined, { numeric: true });
    const keyed = rows.map(({ row }) => ({ row, key: row.cells[index].textContent }));
    keyed.sort((left, right) => order.compare(left.key, right.key) * (down ? -1 : 1));
    body.append(...keyed.map(({ row }) => row));
  }

  [...table.tHead.rows[0].cells].forEach((heading, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading, index));
    heading.replaceChildren(button);
  });
  let timer;
  find.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 150);
  });
  only.addEventListener("change", filter);
  document.querySelector(".tools").hidden = false;
  filter();
})();
