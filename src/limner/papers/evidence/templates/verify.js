"use strict";
const endpoint = ENDPOINT, limit = LIMIT;
const marks = { valid: "✓", tampered: "✗", invalid: "✗", unreadable: "?", none: "–" };
const files = document.getElementById("files"), drop = document.getElementById("drop"), list = document.getElementById("verdicts");
document.getElementById("where").textContent = new URL(endpoint, location.href).href;

// Every word of a verdict may be a stranger's: all of it goes in as text, none as HTML.
function made(name, text = "", kind = "") {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

function safe(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, "\ufffd");
}

function table(layers) {
  const found = made("table"), head = found.createTHead().insertRow(), body = found.createTBody();
  for (const title of ["layer", "state", "what is there", "what it proves"]) head.append(made("th", title));
  for (const layer of layers) {
    const row = body.insertRow(), name = made("th", safe(layer.name));
    name.scope = "row";
    row.append(name, made("td", safe(layer.state), "state " + (/^[a-z]+$/.test(layer.state) ? layer.state : "")));
    row.append(made("td", safe(layer.holds)), made("td", safe(layer.proves)));
  }
  const wide = made("div", "", "wide");
  wide.append(found);
  return wide;
}

function facts(verdict) {
  const signer = verdict.signer || {}, from = verdict.generation || {}, list = made("dl");
  const signed = verdict.state === "valid" || verdict.state === "invalid";
  const rows = [
    ["title", signed && verdict.title], ["creator", signed && verdict.creator],
    ["signed by", signed && signer.name && signer.name + " · " + signer.organisation],
    ["time-stamp", signed && signer.time_stamp], ["model", signed && from.model_name],
    ["learned from", signed && from.collection_name], ["credit", signed && from.credit],
    ["file", verdict.checked.digest],
  ];
  for (const [label, value] of rows) if (value) list.append(made("dt", label), made("dd", safe(value), label === "file" ? "digest" : ""));
  return list;
}

async function ask(file) {
  if (file.size > limit) throw new Error("It is larger than " + (limit >> 20) + " MB.");
  let answer;
  for (let i = 0; i < 5; i++) {
    answer = await fetch(endpoint, { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" }, credentials: "omit" });
    if (answer.status !== 503) break;
    await new Promise(done => setTimeout(done, 500 * (i + 1)));
  }
  const verdict = await answer.json();
  if (!answer.ok) throw new Error("The checker says: " + safe(verdict.error) + ".");
  return verdict;
}

async function check(file) {
  const place = made("article"), left = made("div"), right = made("div"), shown = new Image();
  shown.alt = "";
  shown.onload = () => { if (shown.naturalWidth < 240) shown.className = "small"; URL.revokeObjectURL(shown.src); };
  shown.onerror = () => shown.remove();
  shown.src = URL.createObjectURL(file);
  left.append(shown);
  right.append(made("p", safe(file.name), "note"), made("p", "Checking …"));
  place.append(left, right);
  list.prepend(place);
  try {
    const verdict = await ask(file), state = verdict.contested ? "unreadable" : /^[a-z]+$/.test(verdict.state) ? verdict.state : "";
    right.lastChild.remove();
    right.append(made("p", (verdict.contested ? "!" : marks[verdict.state] || "–") + " " + safe(verdict.summary), "verdict " + state));
    if (verdict.layers.length) right.append(table(verdict.layers));
    right.append(facts(verdict));
  } catch (error) {
    right.lastChild.remove();
    const network = error instanceof TypeError;
    right.append(made("p", network ? "The checker cannot be reached, or it does not answer pages of this site." : error.message, "verdict unreadable"));
  }
}

async function take(chosen) { for (const file of chosen) await check(file); }
files.addEventListener("change", () => take([...files.files]).then(() => { files.value = ""; }));
for (const name of ["dragover", "dragleave", "drop"]) drop.addEventListener(name, event => {
  event.preventDefault();
  drop.classList.toggle("over-it", name === "dragover");
  if (name === "drop") take([...event.dataTransfer.files]);
});
