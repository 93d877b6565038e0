"use strict";
// What the keyboard does, and the sign that a page has lost its office. Everything else is htmx's.
//   an element with data-key="…" is focused (a field) or followed (a link) by that key; ↑ ↓ walk through the rows

const TYPED_IN = "input, select, textarea";

function walk(step) {
  const rows = [...document.querySelectorAll("tbody tr[tabindex]")];
  if (!rows.length) return false;
  const here = rows.indexOf(document.activeElement.closest("tbody tr[tabindex]"));
  const there = here < 0 ? 0 : Math.min(Math.max(here + step, 0), rows.length - 1);
  rows[there].focus();
  return true;
}

function followed(key) {
  const target = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key);
  if (!target) return false;
  if (target.matches(TYPED_IN)) {
    target.focus();
    target.select();
  } else {
    target.click();
  }
  return true;
}

function act(key) {
  if (key === "ArrowDown") return walk(1);
  if (key === "ArrowUp") return walk(-1);
  if (key === "Enter" && document.activeElement.matches("tr")) {
    const link = document.activeElement.querySelector("a");
    if (link) link.click();
    return Boolean(link);
  }
  return followed(key.length === 1 ? key.toLowerCase() : key);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches(TYPED_IN)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (act(event.key)) event.preventDefault();
});

const silent = new Set(); // the parts of the page that were last asked for in vain

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) silent.delete(event.detail.elt.id);
  else silent.add(event.detail.elt.id);
  const sign = document.getElementById("not-live");
  if (sign) sign.hidden = silent.size === 0;
});
