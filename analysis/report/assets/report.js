"use strict";

// what a cell says, without the numbers of its notes
function textOf(cell) {
  return [...cell.childNodes].filter((node) => node.nodeName !== "SUP")
    .map((node) => node.textContent).join("").trim();
}

function sortKey(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value !== undefined ? Number(cell.dataset.value) : textOf(cell);
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

// the names of a table's columns, each with its kind of number where it has one
function headings(table) {
  return [...table.tHead.rows[0].cells].map((cell) =>
    [cell.querySelector("button").textContent, cell.querySelector(".kind")?.textContent]
      .filter(Boolean).join(", "));
}

function filter(input) {
  const table = document.getElementById(input.dataset.table);
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = [...document.querySelectorAll(`select[data-table="${input.dataset.table}"]`)]
    .filter((choice) => choice.value !== "");
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = [...row.cells].map(textOf).join(" ").toLowerCase();
    row.hidden = !words.every((word) => matches(row, text, word)) || !choices.every((choice) =>
      textOf(row.cells[choice.dataset.column]) === choice.value);
    shown += !row.hidden;
  }
  document.getElementById(input.dataset.table + "-count").textContent =
    `${shown} of ${table.tBodies[0].rows.length} rows`;
}

// a word of a search: part of the row's text, or with `run:` any of its runs' ids
function matches(row, text, word) {
  if (!word.startsWith("run:")) return text.includes(word);
  const wanted = word.slice(4).split(",");
  return (row.dataset.runs ?? "").split(" ").some((id) => id && wanted.includes(id));
}

function addChoices(table) {
  const place = document.querySelector(`.choices[data-for="${table.id}"]`);
  headings(table).forEach((name, column) => {
    const choosable = ["task", "hardware", "device", "data set", "dataset", "tier", "records", "verdict"];
    if (!choosable.includes(name.toLowerCase())) return;
    const values = [...new Set([...table.tBodies[0].rows].map((row) =>
      textOf(row.cells[column])).filter(Boolean))].sort();
    if (values.length < 2) return;
    const label = document.createElement("label"), choice = document.createElement("select");
    choice.dataset.table = table.id;
    choice.dataset.column = column;
    choice.append(new Option("all", ""), ...values.map((text) => new Option(text, text)));
    choice.addEventListener("change", () =>
      filter(document.querySelector(`input[data-table="${table.id}"]`)));
    label.append(name + " ", choice);
    place.append(label);
  });
}

// a cell that a spreadsheet would take for a formula gets a quote in front
function csvCell(text) {
  const safe = /^\s*[=+@＝＋－＠\t\r]|^\s*-(?![\d.])/.test(text) ? "'" + text : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// the rows that are shown, every column of them, at full precision
function toCsv(table) {
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) =>
    [...row.cells].map((cell) => cell.dataset.value ?? textOf(cell)));
  return [headings(table), ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function download(table) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([toCsv(table)], { type: "text/csv" }));
  link.download = table.id + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

// picked rows side by side, a column each
function showCompared() {
  const box = document.getElementById("compare");
  const picked = [...document.querySelectorAll("input.pick:checked")].map((pick) => pick.closest("tr"));
  box.hidden = picked.length < 2;
  if (box.hidden) return;
  const named = picked.map((row) => new Map(headings(row.closest("table")).map((name, column) =>
    [name, textOf(row.cells[column])])));
  const names = [...new Set(named.flatMap((row) => [...row.keys()]))]
    .filter((name) => named.some((row) => row.get(name)));
  const table = document.createElement("table");
  for (const name of names) {
    const line = table.insertRow();
    const values = named.map((row) => row.get(name) ?? "");
    [name, ...values].forEach((text) => { line.insertCell().textContent = text; });
    if (new Set(values).size > 1) line.style.fontWeight = "600";
  }
  const title = document.createElement("h2"), scroll = document.createElement("div");
  title.textContent = `${picked.length} rows compared; what differs is bold`;
  scroll.className = "scroll";
  scroll.append(table);
  box.replaceChildren(title, scroll);
}

// a click from a row of a table to its provenance by row, and from there to each of its records
function showRuns(runs, place) {
  const input = document.querySelector(`input[data-table="${place}"]`);
  input.value = "run:" + runs.split(" ").join(",");
  filter(input);
  input.scrollIntoView({ block: "center" });
  input.focus({ preventScroll: true });
}

function addPicks(table) {
  for (const row of table.tBodies[0].rows) {
    const cell = row.cells[0], name = textOf(cell);
    const pick = document.createElement("input");
    pick.type = "checkbox";
    pick.className = "pick";
    pick.setAttribute("aria-label", `compare ${name}`);
    pick.addEventListener("change", showCompared);
    cell.prepend(pick);
  }
}

function addRecords(table) {
  if (table.id === "provenance-table") return;
  const place = table.id === "rows-table" ? "provenance-table" : "rows-table";
  if (!document.getElementById(place)) return;
  for (const row of table.querySelectorAll("tr[data-runs]")) {
    const cell = row.cells[0], name = textOf(cell);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "records";
    button.setAttribute("aria-label", `records of ${name}`);
    button.addEventListener("click", () => showRuns(row.dataset.runs, place));
    cell.append(button);
  }
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
  for (const row of rows) { // the user's own first, then lists with ranks, then the longest
    const isRanked = Object.keys(row.dataset).some((key) => /^r\d+$/.test(key));
    const weight = row.dataset.own === "1" ? 1e6 : isRanked ? 1e3 : 1;
    counts.set(row.dataset[name], (counts.get(row.dataset[name]) || 0) + weight);
  }
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
  for (const row of shown) {
    row.cells[0].textContent = row.dataset["r" + metric.value] ?? "";
    row.cells[2].textContent = row.dataset["t" + metric.value];
  }
  body.prepend(...shown);
  document.getElementById("board-metric").textContent = metric.textContent;
  document.getElementById("board-count").textContent =
    `${shown.length} of ${body.rows.length} rows, ` +
    `${shown.filter((row) => row.cells[0].textContent).length} ranked`;
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

for (const table of document.querySelectorAll("table.data")) {
  addChoices(table);
  const first = table.tHead.rows[0].cells[0].textContent.trim().toLowerCase();
  if (first.startsWith("model")) addPicks(table);
  addRecords(table);
}
for (const button of document.querySelectorAll("button[data-csv]")) {
  button.addEventListener("click", () => download(document.getElementById(button.dataset.csv)));
}
for (const button of document.querySelectorAll("button[data-all]")) {
  button.addEventListener("click", () => {
    const all = document.getElementById(button.dataset.all).classList.toggle("all");
    button.setAttribute("aria-pressed", String(all));
  });
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
