"use strict";

function sortKey(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim();
}

function compare(a, b) {
  const absentA = a === "", absentB = b === "";
  if (absentA || absentB) return absentA - absentB; // what is absent stays last, either way
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function sortBy(header) {
  const table = header.closest("table");
  const column = header.cellIndex;
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row, column), row]);
  rows.sort(([a], [b]) => {
    const order = compare(a, b);
    return down && a !== "" && b !== "" ? -order : order;
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function filter(input) {
  const table = document.getElementById(input.dataset.table);
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  document.getElementById(input.dataset.table + "-count").textContent =
    `${shown} of ${table.tBodies[0].rows.length} rows`;
}

function showTip(marker, x, y) {
  const tip = document.getElementById("tip");
  tip.textContent = marker.dataset.tip; // text, never markup
  tip.style.display = "block";
  const left = Math.min(x + 14, window.innerWidth - tip.offsetWidth - 8);
  const top = Math.min(y + 14, window.innerHeight - tip.offsetHeight - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}

function hideTip() {
  document.getElementById("tip").style.display = "none";
}

// the leaderboard: rows of one task, hardware and set-up, ranked by one metric
function boardChoice(name) {
  return document.querySelector(`select[data-board="${name}"]`);
}

// rows with the choices made so far, in the order in which they are made
function boardRows(...names) {
  return [...document.getElementById("board").tBodies[0].rows].filter((row) =>
    names.every((name) => row.dataset[name] === boardChoice(name).value));
}

function fillChoice(name, rows) {
  const choice = boardChoice(name);
  const before = choice.value;
  const counts = new Map();
  for (const row of rows) counts.set(row.dataset[name], (counts.get(row.dataset[name]) || 0) + 1);
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || (a < b ? -1 : 1));
  choice.replaceChildren(...names.map((text) => new Option(text, text)));
  if (names.includes(before)) choice.value = before;
}

function fillChoices() {
  fillChoice("task", boardRows());
  fillChoice("hardware", boardRows("task"));
  fillChoice("group", boardRows("task", "hardware"));
}

function rankBoard() {
  const metric = boardChoice("metric").selectedOptions[0];
  const key = "n" + metric.value, sign = metric.dataset.less === "1" ? 1 : -1;
  const body = document.getElementById("board").tBodies[0];
  const shown = boardRows("task", "hardware", "group")
    .filter((row) => row.dataset[key] !== undefined);
  shown.sort((a, b) => sign * (Number(a.dataset[key]) - Number(b.dataset[key])));
  for (const row of body.rows) row.hidden = !shown.includes(row);
  let rank = 0;
  for (const row of shown) {
    row.cells[0].textContent = row.dataset.competes === "1" ? String(++rank) : "";
    row.cells[2].textContent = row.dataset["t" + metric.value];
  }
  body.prepend(...shown);
  document.getElementById("board-metric").textContent = metric.textContent;
  document.getElementById("board-count").textContent =
    `${shown.length} of ${body.rows.length} rows, ${rank} ranked`;
}

if (document.getElementById("board")) {
  for (const name of ["task", "hardware", "group", "metric"]) {
    boardChoice(name).addEventListener("change", () => {
      fillChoices();
      rankBoard();
    });
  }
  fillChoices();
  rankBoard();
}

for (const header of document.querySelectorAll("th")) {
  header.querySelector("button")?.addEventListener("click", () => sortBy(header));
}
for (const input of document.querySelectorAll("input[data-table]")) {
  input.addEventListener("input", () => filter(input));
  filter(input);
}
for (const marker of document.querySelectorAll("[data-tip]")) {
  marker.addEventListener("mousemove", (event) => showTip(marker, event.clientX, event.clientY));
  marker.addEventListener("mouseleave", hideTip);
  marker.addEventListener("focus", () => {
    const box = marker.getBoundingClientRect();
    showTip(marker, box.right, box.bottom);
  });
  marker.addEventListener("blur", hideTip);
}
