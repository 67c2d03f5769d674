/* Tables of every page: sorted by any column, and a wide one can be scrolled by the keyboard. */
(() => {
"use strict";

function sortable(table) {
  const body = table.tBodies[0];
  const key = (line, at) => line.cells[at].dataset.value ?? line.cells[at].textContent.trim();
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    if (head.classList.contains("drawn")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const lines = [...body.rows].sort((a, b) => {
        const one = key(a, at), other = key(b, at);
        // What is undefined stays at the end, whichever way the rest is sorted.
        if (one === "" || other === "") return (one === "") - (other === "");
        return (up ? 1 : -1) * one.localeCompare(other, "en", {numeric: true});
      });
      body.append(...lines);
    });
  });
}

function reachable() {
  for (const box of document.querySelectorAll(".scroll")) {
    const wide = box.scrollWidth > box.clientWidth;
    if (wide) { box.tabIndex = 0; box.setAttribute("role", "group"); } else box.removeAttribute("tabindex");
  }
}

for (const table of document.querySelectorAll("table.sortable")) sortable(table);
reachable();
window.addEventListener("resize", reachable);
// What is inside a closed part has no width yet.
document.addEventListener("toggle", reachable, true);
})();
