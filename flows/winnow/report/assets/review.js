"use strict";
const { version, run_id, items } = JSON.parse(document.getElementById("data").textContent);
const kept = `winnow review ${run_id}`;
let verdicts = {};
try { verdicts = JSON.parse(localStorage.getItem(kept)) || {}; } catch { /* a page from a file may have no storage */ }
let at = 0, saved = true;

const key = (item) => [item.kind, item.rule, item.doc_id, item.at].join("\u0000");
const element = (name, text, kind) => {
  const made = document.createElement(name);
  made.textContent = text;  // texts of a dataset are never read as markup
  made.dir = "auto";
  if (kind) made.className = kind;
  return made;
};

function show() {
  const card = document.getElementById("card"), item = items[at];
  card.replaceChildren();
  const done = items.filter((i) => key(i) in verdicts).length;
  document.getElementById("progress").textContent = items.length
    ? `${at + 1} of ${items.length} · ${done} marked${saved ? "" : ", not saved"}` : "There is nothing to judge.";
  if (!item) return;
  card.append(element("h2", `${item.kind}: ${item.rule.replaceAll("_", " ")}`), element("p", item.source, "small soft"));
  if (item.kind === "repair") {
    const text = element("div", "", "text");
    text.append(item.lead, element("del", item.before), element("ins", item.after), item.tail);
    card.append(text);
  } else {
    const pair = element("div", "", "pair");
    for (const [head, body] of [["Removed", item.before], ["Kept", item.after || item.note]]) {
      const side = element("div", "");
      side.append(element("h3", head), element("div", body, "text"));
      pair.append(side);
    }
    card.append(pair, element("p", item.note, "small soft"));
  }
  for (const button of document.querySelectorAll("[data-verdict]"))
    button.setAttribute("aria-pressed", String(verdicts[key(item)] === button.dataset.verdict));
}

function mark(verdict) {
  if (!items[at]) return;
  verdicts[key(items[at])] = verdict;
  saved = false;
  try { localStorage.setItem(kept, JSON.stringify(verdicts)); } catch { /* the file is what counts */ }
  step(1);
}

function step(by) {
  at = Math.max(0, Math.min(items.length - 1, at + by));
  show();
}

function save() {
  const lines = items.filter((i) => key(i) in verdicts).map(({ kind, rule, doc_id, at }) =>
    `${JSON.stringify({ version, run_id, kind, rule, doc_id, at, verdict: verdicts[key({ kind, rule, doc_id, at })] })}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = `review-v${version}.jsonl`;
  link.click();
  saved = true;
  show();
}

const keys = { r: () => mark("right"), w: () => mark("wrong"), u: () => mark("unsure"), s: save,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1) };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
document.getElementById("verdicts").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.id === "save") save();
  else if (button.dataset.verdict) mark(button.dataset.verdict);
  else step(Number(button.dataset.step));
  button.blur();
});
show();
