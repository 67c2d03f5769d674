// The rating page: what it shows of a session, and where the rater is in it.

import { CAUSES, causeButtons, fill, gradeButtons, helpTable, keyBar, make, policyParts, queryCard, reasonForm, refusedList, resultCard } from "./rate-view.js";
import { keysOf } from "./rate-work.js";

export const at = (id) => document.getElementById(id);

export class Page {
  constructor(state, act) {
    this.policy = state.policy;
    this.keys = keysOf(state.policy.scale);
    Object.assign(this, { act, place: 0, phase: "grade", list: false, single: true, hinting: 0 });
    document.title = at("title").textContent = `Rating as ${state.rater}${state.policy.title && `: ${state.policy.title}`}`;
    at("notice").hidden = !state.changed || Boolean(state.sealed);
    at("notice").textContent = "The policy was changed elsewhere since this round began. Keep to the one that is shown here.";
    this.parts = policyParts(state.policy, act.cite);
    at("policy").replaceChildren(...this.parts.map(([title, found]) => make("section", { className: "rate-part" },
      make("h2", { textContent: title }), ...found.map((one) => one.node))));
  }

  get work() {
    return this.session.work;
  }

  get locked() {
    return Boolean(this.work.sealed) || this.phase === "done";
  }

  levelOf(value) {
    return this.policy.grades.find((one) => one.value === value);
  }

  /** Show a place, or that none is left. */
  go(to, words = "") {
    this.phase = to === null ? "done" : "grade";
    if (to !== null) this.place = to;
    at("hint").hidden = true;
    this.show();
    this.look();
    const { pairs } = this.work;
    const where = this.phase === "done" ? this.doneWords() : `Pair ${this.place + 1} of ${pairs.length}: ${pairs[this.place].result.title ?? ""}`;
    this.announce(`${words} ${where}`);
  }

  onwards(words) {
    this.go(this.work.next(this.place), words);
  }

  look() {
    this.session.watch.look(this.phase === "done" ? null : this.place, document.visibilityState === "visible");
  }

  show() {
    const done = this.phase === "done";
    const said = done ? null : this.work.said(this.place);
    at("pairs").replaceChildren(...(done ? this.doneCard() : this.cards()));
    at("grades").hidden = done;
    at("grades").setAttribute("aria-label", this.phase === "cause" ? "Why can it not be rated?" : "Grades");
    at("grades").replaceChildren(...(this.phase === "cause"
      ? causeButtons(said?.cannot, this.act.cannot)
      : gradeButtons(this.policy, this.keys, said?.grade ?? null, this.locked, this.act.grade)));
    this.showReason();
    at("keys").replaceChildren(...keyBar(this.bar()));
    this.showCount();
    const current = at("pairs").querySelector("[aria-current]");
    if (current) current.scrollIntoView({ block: "nearest" });
    else at("main").scrollTo(0, 0);
  }

  showReason() {
    const shown = this.phase === "reason";
    const focused = document.activeElement === at("reason");
    const draft = this.phase === "done" ? { clauses: [] } : this.session.draft(this.place);
    at("asked").hidden = !shown;
    at("asked").replaceChildren(...(shown ? reasonForm(draft, this.isAsked(), this.act) : []));
    if (shown && focused) at("reason").focus();
    for (const node of document.querySelectorAll("[data-clause]")) {
      node.querySelector("button").setAttribute("aria-pressed", String(draft.clauses.includes(node.dataset.clause)));
    }
  }

  isAsked() {
    return this.work.pairs[this.place].ask && this.work.isDone(this.place);
  }

  cards() {
    const group = this.work.group(this.place);
    const card = (place, label) => resultCard(this.work.pairs[place], {
      label: `Result ${place - group[0] + 1}`, place: label, said: this.ownWords(place), current: this.list && place === this.place,
    });
    const query = queryCard(this.work.pairs[this.place]);
    if (!this.list) {
      return [query, card(this.place, "")];
    }
    const items = group.map((place) => make("li", { onclick: () => place !== this.place && this.go(place) },
      card(place, String(place - group[0] + 1))));
    return [query, make("ol", { className: "rate-list" }, ...items)];
  }

  /** What the rater said about a place, in words. */
  ownWords(place) {
    const said = this.work.said(place);
    if (!said) return this.work.sealed ? ["You gave no answer."] : [];
    return [this.answerWords(said), [said.reasoning, ...(said.clauses ?? [])].filter(Boolean).join(" ")];
  }

  answerWords(said) {
    if (said.kind === "later") return "You put this off.";
    if (said.kind === "undo") return "You took your last answer back.";
    return said.kind === "grade"
      ? `You graded ${said.grade}, ${this.levelOf(said.grade)?.name}.`
      : `You said that it cannot be rated: ${CAUSES.find(([cause]) => cause === said.cannot)?.[1].toLowerCase()}.`;
  }

  doneWords() {
    if (this.work.sealed) return "Your set is closed. Thank you.";
    return this.work.pairs.length ? "Every pair has an answer." : "There is no pair for you in this round.";
  }

  /** Answers that the server refused, until the rater sends them again or deletes them. */
  showRefused() {
    const found = [...this.session.kept.refused.values()];
    at("refused").hidden = !found.length;
    at("refused").replaceChildren(...(found.length ? refusedList(found.map(({ answer, why }) =>
      `Pair ${answer.place + 1}: ${this.answerWords(answer)} ${answer.reasoning ?? ""} Not taken: ${why}.`), this.act) : []));
    this.showSaved();
  }

  doneCard() {
    const { all, grade, cannot } = this.work.counts();
    const open = !this.work.sealed && all > 0;
    return [make("section", { className: "rate-query" },
      make("h2", { className: "rate-words", textContent: this.doneWords() }),
      make("p", { textContent: `${grade} graded, ${cannot} that cannot be rated.` }),
      this.work.sealed ? make("p", { textContent: "You can close this page, or look at your answers with the arrow keys." }) : null,
      open ? make("p", { textContent: "Look over them with the arrow keys, or close your set: then nothing can be changed, and your grades count." }) : null,
      open ? make("button", { type: "button", className: "button first", textContent: "I am done", onclick: () => this.finish() }) : null)];
  }

  showCount() {
    const { all, grade, cannot, later } = this.work.counts();
    at("count").textContent = `${grade + cannot} of ${all} answered${later ? `, ${later} for later` : ""}`;
    at("bar").max = Math.max(1, all);
    at("bar").value = grade + cannot;
    at("finish").hidden = Boolean(this.work.sealed);
    this.showSaved();
  }

  /** Whether answers are on the disk: only what the server has confirmed is called saved. */
  showSaved() {
    const { sender, kept, unsaved } = this.session;
    const refused = kept.refused.size;
    const left = `${unsaved} not yet saved`;
    const safe = kept.storage ? "kept in this browser" : "this browser keeps nothing: do not close the page";
    const texts = {
      saved: this.work.sealed ? `Closed on ${this.work.sealed.slice(0, 10)}` : refused ? "The others are saved" : "All saved",
      sending: left,
      offline: `${left}: no connection; ${safe}`,
      busy: `${left}, ${safe}. ${sender.why}`,
      unknown: `${left}; ${safe}. ${sender.why} They are sent when you open it.`,
    };
    const state = unsaved ? (sender.state === "saved" ? "sending" : sender.state) : "saved";
    at("saved").textContent = `${refused ? `${refused} not taken. ` : ""}${texts[state]}`;
    at("saved").dataset.state = state;
  }

  search() {
    const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let hits = 0;
    for (const [number, [, found]] of this.parts.entries()) {
      for (const one of found) one.node.hidden = !words.every((word) => one.text.includes(word));
      const here = found.filter((one) => !one.node.hidden).length;
      at("policy").children[number].hidden = here === 0;
      hits += here;
    }
    at("found").textContent = words.length ? `${hits} found` : "";
  }

  announce(words) {
    at("said").textContent = words.trim();
  }

  hint(words, stays = false) {
    at("hint").textContent = words;
    at("hint").hidden = false;
    clearTimeout(this.hinting);
    this.hinting = setTimeout(() => { at("hint").hidden = true; }, stays ? 15_000 : 3_000);
  }

  openPolicy() {
    at("rubric").classList.add("open");
    at("search").focus();
    at("search").select();
  }

  closePolicy() {
    at("rubric").classList.remove("open");
    at("main").focus({ preventScroll: true });
  }

  finish() {
    const { all, grade, cannot, open, later } = this.work.counts();
    const left = open + later;
    const lines = [`${grade} graded, ${cannot} that cannot be rated.`];
    if (left) lines.push(`${left} of ${all} ${left === 1 ? "has" : "have"} no answer and will be missing.`);
    lines.push("After this nothing can be changed, and your grades count.");
    fill(at("closing"), left ? `Close your set with ${left} left?` : "Close your set?",
      lines.map((text) => make("p", { textContent: text })),
      [[left ? "Go on rating" : "Not yet", null, left > 0], ["Close my set", this.act.seal, left === 0]]);
  }

  help() {
    const scale = [...this.keys.keys()];
    const rows = [
      [`${scale[0]} ... ${scale.at(-1)}`, "grade the pair, and go on"], ["u", "it cannot be rated; then 1, 2 or 3 says why"],
      ["l", "later: it comes again at the end"], ["z", "undo the last answer"], ["r", "give a reason"],
      ["c or /", "search the policy"], ["v", "one pair, or all results of the query"], ["← →", "look at the pair before or after"],
      ["?", "this page"], ["Esc", "leave a field"],
    ];
    const tick = make("input", { type: "checkbox", checked: this.single, onchange: () => { this.single = tick.checked; } });
    fill(at("help"), "Keys", [helpTable(rows),
      make("label", { className: "rate-tick" }, tick, " A single key acts (untick it if a screen reader or voice control needs the keys)")],
    [["Close", null, true]]);
  }

  bar() {
    const scale = [...this.keys.keys()];
    const { keyed } = this.act;
    const cause = this.phase === "cause";
    return [
      { key: cause ? "1 to 3" : `${scale[0]} to ${scale.at(-1)}`, text: cause ? "why" : "grade", act: null },
      { key: "u", text: "cannot rate", act: keyed.u, pressed: cause },
      { key: "l", text: "later", act: keyed.l }, { key: "z", text: "undo", act: keyed.z },
      { key: "c", text: "clauses", act: keyed.c }, { key: "r", text: "reason", act: keyed.r, pressed: this.phase === "reason" },
      { key: "v", text: this.list ? "one pair" : "list", act: keyed.v },
      { key: "←", text: "", name: "Back", act: keyed.ArrowLeft }, { key: "→", text: "", name: "On", act: keyed.ArrowRight },
      { key: "?", text: "help", act: keyed["?"] },
    ];
  }
}
