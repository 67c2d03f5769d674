// A rater's work at one link: what is answered, kept and being sent. It shows nothing itself.

import { Kept, Sender, post } from "./rate-queue.js";
import { Watch, Work } from "./rate-work.js";

export async function load(here) {
  const answer = await fetch(`${here}/state.json`, { headers: { Accept: "application/json" } }).catch(() => null);
  const state = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!state?.pairs) throw new NoState(answer?.status === 404);
  return state;
}

/** The server did not give the state: its link is `unknown`, or it cannot now. */
export class NoState extends Error {
  constructor(unknown) {
    super("no state");
    this.unknown = unknown;
  }
}

function eventId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Browsers have randomUUID in secure contexts alone; a team's server may be plain http in its own network.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Session {
  /** `hooks`: changed() for other answers, saved() for what is on its way, hint(words, stays). */
  constructor(here, state, hooks) {
    Object.assign(this, { here, hooks, drafts: new Map(), stale: false, version: 0 });
    this.kept = new Kept(state.key);
    this.work = new Work(state, this.kept.answers.values());
    this.watch = new Watch();
    for (const said of state.answers) this.watch.was(said.place, said.milliseconds ?? 0);
    this.sender = new Sender(`${here}/answers`, this.kept, {
      tell: (events, places) => this.tell(events, places),
      refuse: (answer, why) => this.refuse(answer, why),
      changed: () => hooks.saved(),
    });
  }

  get unsaved() {
    return this.kept.answers.size;
  }

  /** Answer a place. Resolves when the page may go on: at once if the browser keeps the answer. */
  async say(place, kind, given = {}) {
    const said = { event: eventId(), place, kind, milliseconds: this.watch.of(place), ...given };
    this.version += 1;
    this.work.add(said);
    this.drafts.delete(place);
    const lasts = this.kept.add(said);
    const sent = this.sender.send();
    if (!lasts) await sent;
  }

  /** Take the last answer back; its place, or null where there is none. */
  undo() {
    const place = this.work.order.at(-1);
    if (place === undefined) return null;
    this.say(place, "undo");
    return place;
  }

  /** The reason for a place: what was typed here, else what was said. */
  draft(place) {
    const said = this.work.said(place);
    return this.drafts.get(place) ?? { reasoning: said?.reasoning ?? "", clauses: [...(said?.clauses ?? [])] };
  }

  type(place, reasoning) {
    this.drafts.set(place, { ...this.draft(place), reasoning });
  }

  cite(place, id) {
    const draft = this.draft(place);
    const clauses = draft.clauses.includes(id) ? draft.clauses.filter((one) => one !== id) : [...draft.clauses, id];
    this.drafts.set(place, { ...draft, clauses });
  }

  /** The reason as an answer has it. */
  reason(place) {
    const { reasoning, clauses } = this.draft(place);
    // Half of a surrogate pair, as a cut-off paste leaves it, is in no file and in no answer.
    const text = reasoning.trim().replace(/\p{Surrogate}/gu, "\ufffd");
    return { ...(text ? { reasoning: text } : {}), ...(clauses.length ? { clauses } : {}) };
  }

  tell(events, places) {
    this.work.confirm(events, places);
    if (this.stale) this.refresh();
    else this.hooks.saved();
  }

  refuse(answer, why) {
    this.work.forget(answer.event);
    this.hooks.hint(`The server did not take an answer for pair ${answer.place + 1}: ${why}`, true);
    this.hooks.refused();
    this.refresh();
  }

  /** Send again what was refused. */
  sendRefused() {
    this.version += 1;
    for (const answer of this.kept.forgetRefused()) {
      this.work.add(answer);
      this.kept.add(answer);
    }
    this.hooks.refused();
    this.hooks.changed();
    this.sender.send();
  }

  /** Delete what was refused. */
  deleteRefused() {
    this.kept.forgetRefused();
    this.hooks.refused();
  }

  /** Take over what other tabs said, when nothing is on its way. */
  async refresh() {
    this.stale = true;
    if (this.unsaved) return;
    const { version } = this;
    try {
      const state = await load(this.here);
      // Answers that were given meanwhile are not in it.
      if (version !== this.version) return;
      this.stale = false;
      this.work.begin(state, this.kept.answers.values());
      this.hooks.changed();
    } catch {
      // The next answer shows that there is no connection.
    }
  }

  /** Another tab kept an answer, or dropped one that is saved. */
  otherTab(event) {
    if (!this.kept.owns(event.key)) return;
    const came = this.kept.changed(event);
    this.hooks.refused();
    if (came) this.work.add(came);
    else if (event.newValue === null) this.refresh();
    this.hooks.changed();
  }

  /** Close the set; returns a sentence if it is not closed. */
  async seal() {
    await this.sender.send();
    if (this.unsaved) return "Some answers are not saved yet. Close your set when the page says that all are saved.";
    const found = await post(`${this.here}/seal`, {});
    if (!found.data?.sealed) return `Your set is not closed: ${found.why || "no connection"}`;
    this.work.sealed = found.data.sealed;
    return "";
  }
}
