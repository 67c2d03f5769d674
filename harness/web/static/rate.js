// The rating page: a key is answered from what the page holds, and the answer is on its way to the disk meanwhile.

import { Kept, Sender, post } from "./rate-queue.js";
import { CAUSES, causeButtons, fill, gradeButtons, helpTable, keyBar, make, policyParts, queryCard, reasonForm, resultCard } from "./rate-view.js";
import { Watch, Work, keysOf } from "./rate-work.js";

const here = location.pathname.replace(/\/+$/, "");
const at = (id) => document.getElementById(id);
const watch = new Watch();
const drafts = new Map();
let policy, keys, work, kept, sender, parts, round;
let place = 0;
let phase = "grade";
let list = false;
let single = true;
let stale = false;

async function load() {
  const answer = await fetch(`${here}/state.json`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status === 404 ? "unknown" : "busy");
  return answer.json();
}

async function begin() {
  const state = await load();
  ({ policy } = state);
  round = state;
  keys = keysOf(policy.scale);
  work = new Work(state);
  kept = new Kept(state.key);
  for (const answer of kept.answers.values()) work.add(answer);
  sender = new Sender(`${here}/answers`, kept, { tell, refuse, changed: showSaved });
  for (const said of state.answers) watch.was(said.place ?? 0, said.milliseconds ?? 0);
  document.title = at("title").textContent = `Rating: ${policy.title}`;
  at("notice").hidden = !state.changed;
  at("notice").textContent = state.changed;
  showPolicy();
  listen();
  go(work.sealed ? 0 : work.next(-1));
  sender.send();
}

// --- answers

function answer(kind, given = {}) {
  if (work.sealed) return hint("Your set is closed. You can look at your answers.");
  const said = { event: eventId(), place, kind, milliseconds: watch.of(place), ...given };
  work.add(said);
  const lasts = kept.add(said);
  const sent = sender.send();
  return lasts ? Promise.resolve() : sent;
}

function eventId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Browsers have randomUUID in secure contexts alone; a team's server may be plain http in its own network.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function grade(value) {
  const draft = draftOf(place);
  const wants = work.pairs[place].ask && !draft.reasoning;
  const given = { kind: "grade", grade: value, ...filled(draft) };
  const taken = answer("grade", given);
  if (work.sealed) return;
  drafts.delete(place);
  if (!kept.storage) await taken;
  const level = policy.grades.find((one) => one.value === value);
  if (wants) return ask(`Graded ${value}, ${level.name}.`);
  onwards(`Graded ${value}, ${level.name}.`);
}

async function cannot(cause) {
  const taken = answer("cannot", { cannot: cause, ...filled(draftOf(place)) });
  drafts.delete(place);
  if (!kept.storage) await taken;
  onwards("Noted as not to be rated.");
}

function later() {
  if (work.sealed) return answer("later");
  answer("later");
  onwards("For later.");
}

function undo() {
  if (work.sealed) return answer("undo");
  const back = work.order.at(-1);
  if (back === undefined) return hint("There is nothing to undo.");
  place = back;
  answer("undo");
  drafts.delete(back);
  go(back, "Undone.");
}

/** Draft of a reason: what was typed here, else what was said. */
function draftOf(of) {
  const said = work.said(of);
  return drafts.get(of) ?? { reasoning: said?.reasoning ?? "", clauses: [...(said?.clauses ?? [])] };
}

const filled = ({ reasoning, clauses }) => ({
  ...(reasoning.trim() ? { reasoning: reasoning.trim() } : {}), ...(clauses.length ? { clauses } : {}),
});

function keepReason() {
  const said = work.said(place);
  const draft = draftOf(place);
  if (said && said.kind !== "later") {
    answer(said.kind, { ...(said.kind === "grade" ? { grade: said.grade } : { cannot: said.cannot }), ...filled(draft) });
    drafts.delete(place);
    onwards("Reason kept.");
  } else {
    drafts.set(place, draft);
    go(place, "The reason goes with your grade.");
  }
}

function cite(id) {
  if (work.sealed || phase === "done") return;
  const draft = draftOf(place);
  const clauses = draft.clauses.includes(id) ? draft.clauses.filter((one) => one !== id) : [...draft.clauses, id];
  drafts.set(place, { ...draft, clauses });
  if (phase !== "reason") ask("", false);
  else show();
}

// --- from the server

function tell(events, places) {
  work.confirm(events, places);
  if (stale) refresh();
  else showCount();
}

function refuse(said, why) {
  work.forget(said.event);
  hint(`The server did not take an answer for pair ${said.place + 1}: ${why}`, true);
  refresh();
}

/** Take over what other tabs said, when nothing of ours is on its way. */
async function refresh() {
  if (kept.answers.size) {
    stale = true;
    return;
  }
  stale = false;
  try {
    const state = await load();
    if (!kept.answers.size) work.begin(state);
    show();
  } catch {
    // The next answer tells that there is no connection.
  }
}

// --- moving

function onwards(words) {
  go(work.next(place), words);
}

function go(to, words = "") {
  phase = to === null ? "done" : "grade";
  if (to !== null) place = to;
  at("hint").hidden = true;
  show();
  look();
  const pair = work.pairs[place];
  announce(phase === "done" ? `${words} Every pair has an answer.` : `${words} Pair ${place + 1} of ${work.pairs.length}: ${pair.result.title ?? ""}`);
}

function step(by) {
  if (phase === "done") return go(place);
  const to = place + by;
  if (to < 0 || to >= work.pairs.length) return hint(by < 0 ? "This is the first pair." : "This is the last pair.");
  go(to);
}

function ask(words, announced = true) {
  phase = "reason";
  show();
  at("reason").focus();
  if (announced) announce(`${words} Why? A reason is asked for here.`);
}

function look() {
  watch.look(phase === "done" ? null : place, document.visibilityState === "visible");
}

// --- showing

function show() {
  const main = at("pairs");
  const done = phase === "done";
  document.body.dataset.phase = phase;
  main.replaceChildren(...(done ? doneCard() : cards()));
  const said = done ? null : work.said(place);
  const locked = Boolean(work.sealed) || done;
  at("grades").hidden = done;
  at("grades").setAttribute("aria-label", phase === "cause" ? "Why can it not be rated?" : "Grades");
  at("grades").replaceChildren(...(phase === "cause"
    ? causeButtons(said?.cannot, cannot)
    : gradeButtons(policy, keys, said?.grade ?? null, locked, grade)));
  at("asked").hidden = phase !== "reason";
  if (phase === "reason") showReason();
  else at("asked").replaceChildren();
  at("keys").replaceChildren(...keyBar(bar()));
  const clauses = done ? [] : draftOf(place).clauses;
  for (const node of document.querySelectorAll("[data-clause]")) {
    node.querySelector("button").setAttribute("aria-pressed", String(clauses.includes(node.dataset.clause)));
  }
  showCount();
  const current = main.querySelector("[aria-current]");
  if (list && current) current.scrollIntoView({ block: "nearest" });
  else window.scrollTo(0, 0);
}

function showReason() {
  const typed = at("reason");
  const caret = typed && document.activeElement === typed;
  const asked = work.pairs[place].ask && work.isDone(place);
  at("asked").replaceChildren(...reasonForm(draftOf(place), asked, {
    typed: (text) => drafts.set(place, { ...draftOf(place), reasoning: text }), cite, keep: keepReason, skip: leaveReason,
  }));
  if (caret) at("reason").focus();
}

function leaveReason() {
  if (work.isDone(place)) {
    drafts.delete(place);
    onwards("");
  } else go(place);
}

function cards() {
  const group = work.group(place);
  const pair = work.pairs[place];
  if (!list) {
    const where = group.length > 1 ? `Result ${place - group[0] + 1} of ${group.length} for this query` : "";
    return [queryCard(pair), resultCard(pair, { label: "Result", place: where, said: ownWords(place), current: false })];
  }
  const items = group.map((one) => {
    const words = { label: `Result ${one - group[0] + 1}`, place: `${one - group[0] + 1}`, said: ownWords(one), current: one === place };
    return make("li", { onclick: () => one !== place && go(one) }, resultCard(work.pairs[one], words));
  });
  return [queryCard(pair), make("ol", { className: "rate-list" }, ...items)];
}

function ownWords(of) {
  const said = work.said(of);
  if (!said) return work.sealed ? ["You gave no answer."] : [];
  if (said.kind === "later") return ["You put this off."];
  const level = policy.grades.find((one) => one.value === said.grade);
  const what = said.kind === "grade"
    ? `You graded ${said.grade}, ${level?.name}.`
    : `You said that it cannot be rated: ${CAUSES.find(([cause]) => cause === said.cannot)[1].toLowerCase()}.`;
  return [what, [said.reasoning, ...(said.clauses ?? [])].filter(Boolean).join(" ")];
}

function doneCard() {
  const found = work.counts();
  const words = `${found.grade} graded, ${found.cannot} that cannot be rated.`;
  return [make("section", { className: "rate-query" },
    make("h2", { className: "rate-words", textContent: found.all ? "Every pair has an answer." : "There is no pair for you in this round." }),
    make("p", { textContent: words }),
    work.sealed ? null : make("p", { textContent: "Look over them with the arrow keys, or close your set: then nothing can be changed, and your grades count." }),
    work.sealed ? null : make("button", { type: "button", className: "button first", textContent: "I am done", onclick: finish }))];
}

function showCount() {
  const found = work.counts();
  const later = found.later ? `, ${found.later} for later` : "";
  at("count").textContent = work.sealed ? "Closed" : `${found.grade + found.cannot} of ${found.all} answered${later}`;
  at("bar").max = Math.max(1, found.all);
  at("bar").value = found.grade + found.cannot;
  at("finish").hidden = Boolean(work.sealed);
}

function showSaved() {
  const many = kept.answers.size;
  const left = `${many} not yet saved`;
  const safe = kept.storage ? "kept in this browser" : "this browser keeps nothing: do not close the page";
  const texts = {
    saved: work.sealed ? `Your set was closed on ${work.sealed.slice(0, 10)}` : "All saved",
    sending: many ? left : "All saved",
    offline: `${left}: no connection; ${safe}`,
    busy: `${left}: ${sender.why}; ${safe}`,
    unknown: `${left}; ${safe}. ${sender.why} They are sent when you open it.`,
  };
  at("saved").textContent = texts[sender.state];
  at("saved").dataset.state = many && sender.state === "saved" ? "sending" : sender.state;
}

function showPolicy() {
  parts = policyParts(policy, cite);
  at("policy").replaceChildren(...parts.map(([title, found]) => make("section", { className: "rate-part" },
    make("h2", { textContent: title }), ...found.map((one) => one.node))));
}

function search() {
  const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let hits = 0;
  for (const [number, [, found]] of parts.entries()) {
    let any = false;
    for (const one of found) {
      one.node.hidden = !words.every((word) => one.text.includes(word));
      any = any || !one.node.hidden;
      hits += one.node.hidden ? 0 : 1;
    }
    at("policy").children[number].hidden = !any;
  }
  at("found").textContent = words.length ? `${hits} found` : "";
}

function announce(words) {
  at("said").textContent = words.trim();
}

let hinting = 0;
function hint(words, stays = false) {
  at("hint").textContent = words;
  at("hint").hidden = false;
  clearTimeout(hinting);
  hinting = setTimeout(() => { at("hint").hidden = true; }, stays ? 15_000 : 3_000);
}

// --- closing, help, policy

function finish() {
  const found = work.counts();
  const left = found.open + found.later;
  const lines = [`${found.grade} graded, ${found.cannot} that cannot be rated.`];
  if (left) lines.push(`${left} of ${found.all} have no answer and will be missing.`);
  lines.push("After this nothing can be changed, and your grades count.");
  fill(at("closing"), left ? `Close your set with ${left} left?` : "Close your set?",
    lines.map((text) => make("p", { textContent: text })),
    [[left ? "Go on rating" : "Not yet", null, left > 0], ["Close my set", close, left === 0]]);
}

async function close() {
  await sender.send();
  if (kept.answers.size) return hint("Some answers are not saved yet. Close your set when the page says that all are saved.", true);
  const found = await post(`${here}/seal`, {});
  if (!found.ok) return hint(`Your set is not closed: ${found.why || "no connection"}. Try again.`, true);
  work.sealed = found.data.sealed;
  go(place, "Your set is closed.");
  showSaved();
}

function help() {
  const scale = [...keys.keys()];
  const rows = [
    [`${scale[0]} ... ${scale.at(-1)}`, "grade the pair, and go on"], ["u", "it cannot be rated; then 1, 2 or 3 says why"],
    ["l", "later: it comes again at the end"], ["z", "undo the last answer"], ["r", "give a reason"],
    ["c or /", "search the policy"], ["v", "one pair, or all results of the query"], ["← →", "look at the pair before or after"],
    ["?", "this page"], ["Esc", "leave a field"],
  ];
  const tick = make("input", { type: "checkbox", checked: single, id: "single", onchange: () => { single = tick.checked; } });
  fill(at("help"), "Keys", [helpTable(rows),
    make("label", { className: "rate-tick" }, tick, " A single key acts (untick it if a screen reader or voice control needs the keys)")],
  [["Close", null, true]]);
}

function openPolicy() {
  at("rubric").classList.add("open");
  at("search").focus();
  at("search").select();
}

function closePolicy() {
  at("rubric").classList.remove("open");
  at("main").focus({ preventScroll: true });
}

function bar() {
  const scale = [...keys.keys()];
  const graded = phase === "cause" ? "1 to 3" : `${scale[0]} to ${scale.at(-1)}`;
  return [
    { key: graded, text: phase === "cause" ? "why" : "grade", act: null },
    { key: "u", text: "cannot rate", act: () => act.u(), pressed: phase === "cause" },
    { key: "l", text: "later", act: later }, { key: "z", text: "undo", act: undo },
    { key: "c", text: "clauses", act: openPolicy }, { key: "r", text: "reason", act: () => act.r(), pressed: phase === "reason" },
    { key: "v", text: list ? "one pair" : "list", act: () => act.v() },
    { key: "←", text: "", name: "Back", act: () => step(-1) }, { key: "→", text: "", name: "On", act: () => step(1) },
    { key: "?", text: "help", act: help },
  ];
}

const act = {
  u: () => { if (work.sealed || phase === "done") return; phase = phase === "cause" ? "grade" : "cause"; show(); announce("Why can it not be rated? 1 ambiguous, 2 the policy is silent, 3 not enough shown."); },
  l: () => phase !== "done" && later(),
  z: undo,
  r: () => { if (!work.sealed && phase !== "done") ask("", false); },
  c: openPolicy,
  "/": openPolicy,
  v: () => { list = !list; show(); announce(list ? "All results of the query." : "One pair at a time."); },
  "?": help,
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
};

function pressed(event) {
  watch.sign();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  const field = event.target.closest?.("textarea, input");
  if (event.key === "Escape") {
    if (at("rubric").contains(document.activeElement)) closePolicy();
    else if (phase === "reason") leaveReason();
    else if (phase === "cause") go(place);
    return;
  }
  if (field) {
    if (field.id === "reason") inReason(event, field);
    return;
  }
  // A key that is held down would grade one pair after the other.
  if (event.repeat || !single) return;
  if (phase === "cause" && /^[1-3]$/.test(event.key)) {
    event.preventDefault();
    cannot(CAUSES[Number(event.key) - 1][0]);
  } else if (phase !== "done" && phase !== "cause" && keys.has(event.key)) {
    event.preventDefault();
    grade(keys.get(event.key));
  } else if (act[event.key]) {
    event.preventDefault();
    act[event.key]();
  } else if (phase !== "done" && /^[0-9]$/.test(event.key)) {
    hint(phase === "cause" ? "Press 1, 2 or 3, or Esc." : `${event.key} is not on the scale: ${[...keys.keys()].join(", ")}.`);
  }
}

function inReason(event, field) {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    keepReason();
  } else if (field.value === "" && keys.has(event.key) && /^[0-9]$/.test(event.key)) {
    // Meant as the grade of a next pair that did not come yet: it is neither that nor a reason.
    event.preventDefault();
    hint("A reason is asked for here. Type it, or press Esc to skip.");
  }
}

function listen() {
  document.addEventListener("keydown", pressed);
  for (const sign of ["pointerdown", "pointermove", "wheel"]) document.addEventListener(sign, () => watch.sign(), { passive: true });
  at("search").addEventListener("input", search);
  at("rubric-close").addEventListener("click", closePolicy);
  at("finish").addEventListener("click", finish);
  addEventListener("online", () => sender.send());
  addEventListener("storage", (event) => {
    const came = kept.changed(event);
    if (came) work.add(came, false);
    else if (event.newValue === null) stale = true;
    showSaved();
    showCount();
    if (stale && !kept.answers.size) refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") return watch.stop();
    look();
    refresh();
    return sender.send();
  });
  addEventListener("beforeunload", (event) => {
    if (kept.answers.size || drafts.size) event.preventDefault();
  });
}

begin().catch((error) => {
  at("saved").textContent = "";
  const unknown = error.message === "unknown";
  at("notice").hidden = false;
  at("notice").textContent = unknown
    ? "This link is not known any more. Ask the person who sent it for another one."
    : "The page cannot reach its server. Reload it when the connection is back.";
  if (!unknown) throw error;
});
