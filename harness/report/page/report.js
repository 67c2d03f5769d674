/* The list of pairs: filters, order, and rows made only when they are looked at. Text is only ever text. */
(() => {
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const STEP = 50;
const PRINTED = 200;
const FILTERS = ["outcome", "golden", "grade", "golden-action", "action", "tag", "clause", "diagnosis", "flip"];
const byId = (id) => document.getElementById(id);
const form = byId("filters"), list = byId("list"), more = byId("more"), found = byId("found");
let chosen = [], shown = 0;

/* --- elements ------------------------------------------------------------------------------------- */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/* What people wrote, in whatever direction they write. */
const written = (name, text, kind = "") => element(name, kind ? {dir: "auto", class: kind} : {dir: "auto"}, text);
const badge = (word, kind = "") => element("span", {class: `badge ${kind}`.trim()}, word);
const named = (grade) => (data.grades[grade] ? `${grade} (${data.grades[grade]})` : String(grade));
const plural = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/* --- filters -------------------------------------------------------------------------------------- */

const collator = new Intl.Collator("en", {numeric: true});
const actionOf = (grade) => data.actions[grade];
const given = (item) => (data.everyDraw && item.draws ? item.draws.filter((grade) => grade !== null) : item.grade === undefined ? [] : [item.grade]);

const TESTS = {
  outcome: (item, value) => item.outcome === value,
  golden: (item, value) => String(item.golden) === value,
  grade: (item, value) => given(item).some((grade) => String(grade) === value),
  "golden-action": (item, value) => actionOf(item.golden) === value,
  action: (item, value) => given(item).some((grade) => actionOf(grade) === value),
  tag: (item, value) => (item.tags || []).includes(value),
  clause: (item, value) => (item.goldenClauses || []).includes(value),
  diagnosis: (item, value) => item.diagnosis === value,
  flip: (item, value) => item.flip === value,
};

const ORDERS = {
  severity: () => 0,
  unsure: (a, b) => (a.sure ?? 2) - (b.sure ?? 2),
  sure: (a, b) => (b.sure ?? -1) - (a.sure ?? -1),
  query: (a, b) => collator.compare(a.query || "", b.query || ""),
  id: (a, b) => collator.compare(a.id, b.id),
};

const texts = new Map();
function textOf(item) {
  let text = texts.get(item);
  if (text === undefined) {
    const ratings = (item.ratings || []).map((rating) => rating.why || "");
    const parts = [item.id, item.query, ...Object.values(item.result || {}).map((value) => typeof value === "string" ? value : Object.values(value).join(" ")),
      item.goldenWhy, item.why, item.baseWhy, ...(item.clauses || []), ...(item.goldenClauses || []), ...(item.tags || []), ...ratings];
    text = parts.filter(Boolean).join("\n").toLowerCase();
    texts.set(item, text);
  }
  return text;
}

function options(id, first, pairs) {
  const select = byId(`f-${id}`);
  if (!select) return;
  select.replaceChildren(element("option", {value: ""}, first), ...pairs.map(([value, label]) => element("option", {value}, label)));
  // With one value there is nothing to choose.
  select.closest("label").hidden = pairs.length === 0;
}

function counted(key) {
  const counts = new Map();
  for (const item of data.items) for (const value of item[key] || []) counts.set(value, (counts.get(value) || 0) + 1);
  return [...counts].sort((a, b) => collator.compare(a[0], b[0])).map(([value, count]) => [value, `${value} (${count})`]);
}

const problemOf = (diagnosis) => data.diagnoses[diagnosis].split(":")[0];

function fillFilters() {
  const grades = Object.keys(data.grades).sort((a, b) => a - b).map((grade) => [grade, named(grade)]);
  const actions = [...new Set(Object.values(data.actions))].map((action) => [action, action]);
  options("golden", "any", grades);
  options("grade", "any", grades);
  options("golden-action", "any", actions);
  options("action", "any", actions);
  options("tag", "any", counted("tags"));
  options("clause", "any", counted("goldenClauses"));
  const present = new Set(data.items.map((item) => item.diagnosis));
  options("diagnosis", "anybody's", Object.keys(data.diagnoses).filter((name) => present.has(name)).map((name) => [name, problemOf(name)]));
  const flips = ["broken", "fixed", "moved"].filter((kind) => data.items.some((item) => item.flip === kind));
  options("flip", "any", flips.map((kind) => [kind, kind]));
}

/* --- the list ------------------------------------------------------------------------------------- */

function apply() {
  const tests = FILTERS.map((id) => [TESTS[id], byId(`f-${id}`)]).filter(([, control]) => control && control.value);
  const words = byId("f-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  chosen = data.items.filter((item) => tests.every(([test, control]) => test(item, control.value)) && words.every((word) => textOf(item).includes(word)));
  const order = byId("f-order").value;
  // Filters keep the items in the order of their severity, and sorting is stable.
  if (order !== "severity") chosen.sort(ORDERS[order]);
  list.replaceChildren();
  shown = 0;
  show(STEP);
  press();
}

function show(count) {
  const next = chosen.slice(shown, shown + count);
  list.append(...next.map(row));
  shown += next.length;
  more.hidden = shown >= chosen.length;
  more.textContent = `Show ${Math.min(STEP, chosen.length - shown)} more of ${(chosen.length - shown).toLocaleString("en")}`;
  say();
}

function say() {
  const what = {wrong: "with a wrong grade", unread: "without a grade", right: "with the right grade", "": ""}[byId("f-outcome").value];
  let text = `${plural(chosen.length, "pair", "pairs")} ${what}`.trim() + `, of ${data.of.toLocaleString("en")}`;
  if (shown < chosen.length) text += `; the first ${shown.toLocaleString("en")} are shown`;
  found.textContent = `${text}.`;
}

function row(item) {
  const unread = item.outcome === "unread";
  const step = `${item.golden} → ${unread ? "–" : item.grade}`;
  const spoken = `golden ${item.golden}, ${unread ? "no grade" : `grader ${item.grade}`}: `;
  const marks = element("span", {class: "marks"});
  if (item.flip) marks.append(badge(item.flip, item.flip));
  if (unread) marks.append(badge(item.cause, "inconclusive"));
  else if (actionOf(item.golden) !== actionOf(item.grade)) marks.append(badge(`${actionOf(item.golden)} → ${actionOf(item.grade)}`, "fail"));
  if (item.diagnosis && item.diagnosis !== "unrated") marks.append(badge(problemOf(item.diagnosis)));
  const summary = element("summary", {},
    element("span", {class: "step"}, element("span", {"aria-hidden": "true"}, step), element("span", {class: "unseen"}, spoken)),
    element("span", {class: "what"}, item.query ? written("span", item.query, "query") : null, written("span", item.result.title, "title")),
    marks);
  const made = element("details", {class: "pair", "data-id": item.id}, summary);
  made.addEventListener("toggle", () => { if (made.open) fill(made, item); });
  return element("li", {}, made);
}

function fill(made, item) {
  if (made.querySelector(".inside")) return;
  made.append(element("div", {class: "inside"}, product(item), sides(item), ratings(item), chances(item), foot(item)));
}

function product(item) {
  const facts = element("dl", {class: "facts"});
  const add = (name, value) => { if (value) facts.append(element("dt", {}, name), written("dd", value)); };
  const result = item.result;
  if (item.bare) add("note", "reasons and details of right grades are left out of this page");
  add("query", item.query);
  for (const [name, value] of Object.entries(item.context || {})) add(`asked by: ${name}`, value);
  for (const name of ["title", "brand", "category", "price", "description"]) add(name, result[name]);
  for (const [name, value] of Object.entries(result.attributes || {})) add(name, value);
  return facts;
}

function cited(ids) {
  if (!ids || !ids.length) return null;
  return element("ul", {}, ...ids.map((id) => element("li", {}, element("code", {}, id), ": ", data.clauses[id] || "the policy has no such clause")));
}

function side(kind, head, why, clauses, ...rest) {
  const reasoning = why ? written("p", why) : element("p", {class: "soft"}, "No reasoning.");
  return element("div", {class: `side ${kind}`}, element("h4", {}, head), ...rest, reasoning, cited(clauses));
}

function sides(item) {
  const shownAs = (grade) => (actionOf(grade) ? `, ${actionOf(grade)}` : "");
  const made = element("div", {class: "sides"}, side("golden", `Golden: ${named(item.golden)}${shownAs(item.golden)}`, item.goldenWhy, item.goldenClauses));
  if (item.outcome === "unread") {
    const raw = item.raw ? element("pre", {class: "raw", dir: "auto"}, item.raw) : null;
    made.append(element("div", {class: "side grader"}, element("h4", {}, `Grader: no grade (${item.cause})`), item.detail ? written("p", item.detail) : null, raw));
  } else {
    const draws = item.draws ? element("p", {class: "soft"}, `asked ${item.draws.length} times: ${item.draws.map((grade) => grade ?? "unread").join(", ")}`) : null;
    made.append(side(`grader ${item.outcome}`, `Grader: ${named(item.grade)}${shownAs(item.grade)}`, item.why, item.clauses, draws));
  }
  if (item.flip) made.append(side("base", `Base: ${named(item.base)}${item.baseAction ? `, ${item.baseAction}` : ""} (${item.flip})${item.baseGolden === undefined ? "" : `; golden then ${item.baseGolden}`}`, item.baseWhy, null));
  return made;
}

function ratings(item) {
  if (!item.ratings) return item.diagnosis ? element("p", {class: "soft"}, "No other rater rated this pair.") : null;
  const rows = item.ratings.map((rating) => {
    const kind = data.raters[rating.rater] === "llm" ? " (language model)" : "";
    return element("li", {}, written("strong", rating.rater), `${kind}: ${named(rating.grade)}. `, rating.why ? written("span", rating.why) : null);
  });
  const problem = item.diagnosis ? element("p", {}, `Whose problem: ${data.diagnoses[item.diagnosis]}.`) : null;
  return element("div", {}, problem, element("ul", {}, ...rows));
}

function chances(item) {
  if (!item.chances) return null;
  const said = Object.entries(item.chances).map(([grade, chance]) => `${grade}: ${Math.round(100 * chance)} %`);
  return element("p", {class: "soft"}, `Its own probabilities: ${said.join(", ")}.`);
}

function foot(item) {
  const tags = (item.tags || []).map((tag) => element("li", {}, badge(tag)));
  return element("div", {}, tags.length ? element("ul", {class: "tags"}, ...tags) : null, element("p", {class: "note"}, element("code", {}, item.id)));
}

/* --- what is clicked ------------------------------------------------------------------------------- */

const PICKS = ["golden", "grade", "goldenAction", "action", "tag", "clause", "diagnosis", "flip"];
const control = (pick) => byId(`f-${pick === "goldenAction" ? "golden-action" : pick}`);
const picking = (button) => PICKS.filter((pick) => pick in button.dataset);

/* A cell or a name lists its own pairs: exactly those, whatever was filtered before. */
function pick(button) {
  for (const id of FILTERS) if (byId(`f-${id}`)) byId(`f-${id}`).value = "";
  byId("f-text").value = "";
  const all = "grade" in button.dataset || "action" in button.dataset || "flip" in button.dataset;
  byId("f-outcome").value = all ? "" : "wrong";
  for (const name of picking(button)) control(name).value = button.dataset[name];
  apply();
  byId("pairs").scrollIntoView();
  byId("pairs-title").focus({preventScroll: true});
}

function press() {
  const others = FILTERS.filter((id) => byId(`f-${id}`)?.value).length + (byId("f-text").value ? 1 : 0);
  for (const button of document.querySelectorAll("button[aria-pressed]")) {
    const picks = picking(button);
    button.setAttribute("aria-pressed", String(picks.length === others && picks.every((name) => control(name).value === button.dataset[name])));
  }
}

let waiting = 0;
form.addEventListener("input", (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(apply, event.target.type === "search" ? 120 : 0);
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(begin));
more.addEventListener("click", () => {
  const next = shown;
  show(STEP);
  list.children[next]?.querySelector("summary").focus();
});
byId("open-all").addEventListener("click", () => { for (const one of list.querySelectorAll("details")) one.open = true; });
byId("close-all").addEventListener("click", () => { for (const one of list.querySelectorAll("details")) one.open = false; });
document.addEventListener("click", (event) => {
  const button = event.target.closest("main button");
  if (button && !form.contains(button) && picking(button).length) pick(button);
});

/* On paper nothing can be opened: print what is listed, opened, within reason. */
window.addEventListener("beforeprint", () => {
  if (shown < PRINTED) show(PRINTED - shown);
  for (const one of document.querySelectorAll("details.pair")) { one.open = true; fill(one, data.items.find((item) => item.id === one.dataset.id)); }
});

function begin() {
  if (!data.items.some((item) => item.outcome === "wrong")) byId("f-outcome").value = "";
  apply();
}

fillFilters();
begin();
})();
