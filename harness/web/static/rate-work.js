// What a rater has answered and what is left: the server's state, with the unconfirmed answers on top.
// No document here: what a page shows is in rate-view.js.

const LETTERS = "abdefghikmnopqstwxy";

/** The key of each grade: its own digit, or its position if a grade is not one digit. */
export function keysOf(scale) {
  if (scale.every((grade) => grade >= 0 && grade <= 9)) {
    return new Map(scale.map((grade) => [String(grade), grade]));
  }
  const keys = [..."1234567890", ...LETTERS];
  return new Map(scale.slice(0, keys.length).map((grade, at) => [keys[at], grade]));
}

export class Work {
  constructor(state, waiting) {
    this.begin(state, waiting);
  }

  /** Take over what the server says, with the answers that it may not have yet. */
  begin(state, waiting) {
    this.pairs = state.pairs;
    this.sealed = state.sealed;
    this.base = new Map(state.answers.map((said) => [said.place, said]));
    this.order = state.answers.map((said) => said.place);
    this.waiting = new Map();
    for (const answer of waiting) this.add(answer);
  }

  /** An answer that the server has not confirmed yet. */
  add(answer) {
    if (this.waiting.has(answer.event)) return;
    this.waiting.set(answer.event, answer);
    const last = this.order.lastIndexOf(answer.place);
    if (answer.kind !== "undo") this.order.push(answer.place);
    else if (last >= 0) this.order.splice(last, 1);
  }

  /** What the server confirmed, and what counts now at those places. */
  confirm(events, places) {
    for (const event of events) this.waiting.delete(event);
    for (const [place, said] of Object.entries(places)) {
      if (said) this.base.set(Number(place), said);
      else this.base.delete(Number(place));
    }
  }

  forget(event) {
    this.waiting.delete(event);
  }

  /** What counts at a place. */
  said(place) {
    const stack = this.base.has(place) ? [this.base.get(place)] : [];
    for (const answer of this.waiting.values()) {
      if (answer.place !== place) continue;
      if (answer.kind === "undo") stack.pop();
      else stack.push(answer);
    }
    return stack.at(-1) ?? null;
  }

  isDone(place) {
    const said = this.said(place);
    return said !== null && said.kind !== "later";
  }

  /** The next pair to rate after a place: one without an answer, else one that was put off; null if none is. */
  next(after) {
    const ring = [...this.pairs.keys()].map((at) => (after + 1 + at) % this.pairs.length);
    const open = ring.find((place) => this.said(place) === null);
    return open ?? ring.find((place) => this.said(place)?.kind === "later") ?? null;
  }

  counts() {
    const counted = { all: this.pairs.length, grade: 0, cannot: 0, later: 0, open: 0 };
    const kinds = new Map([...this.base].map(([place, said]) => [place, said.kind]));
    for (const { place } of this.waiting.values()) kinds.set(place, this.said(place)?.kind ?? "open");
    for (const kind of kinds.values()) counted[kind] += 1;
    counted.open = counted.all - counted.grade - counted.cannot - counted.later;
    return counted;
  }

  /** The places of a query's results that follow each other, none of them twice: a repeated pair begins a list of its own. */
  group(place) {
    const same = (at) => this.pairs[at]?.query === this.pairs[place].query
      && JSON.stringify(this.pairs[at].context) === JSON.stringify(this.pairs[place].context);
    let [first, last] = [place, place];
    while (same(first - 1)) first -= 1;
    while (same(last + 1)) last += 1;
    const run = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    const text = (at) => JSON.stringify([this.pairs[at].result, this.pairs[at].picture]);
    let group = [];
    let seen = new Set();
    for (const at of run) {
      if (seen.has(text(at))) {
        if (group.includes(place)) break;
        [group, seen] = [[], new Set()];
      }
      group.push(at);
      seen.add(text(at));
    }
    return group;
  }
}

/** Milliseconds that a pair was in front of the rater: not those of a hidden page, nor of a person who is away. */
export class Watch {
  constructor(clock = () => performance.now(), away = 120_000) {
    Object.assign(this, { clock, away, spent: new Map(), place: null, since: null, last: clock() });
  }

  /** What was spent on a place before this page was opened. */
  was(place, milliseconds) {
    if (!this.spent.has(place)) this.spent.set(place, milliseconds);
  }

  look(place, seen) {
    this.stop();
    this.place = place;
    if (seen) this.since = this.last = this.clock();
  }

  /** The rater did something: a key, a click, a scroll. */
  sign() {
    const now = this.clock();
    if (this.since !== null && now - this.last > this.away) {
      this.count(this.last + this.away);
      this.since = now;
    }
    this.last = now;
  }

  stop() {
    if (this.since !== null) this.count(Math.min(this.clock(), this.last + this.away));
    this.since = null;
  }

  count(until) {
    if (this.place !== null) this.spent.set(this.place, (this.spent.get(this.place) ?? 0) + until - this.since);
  }

  of(place) {
    const now = Math.min(this.clock(), this.last + this.away);
    const going = this.place === place && this.since !== null ? now - this.since : 0;
    return Math.round((this.spent.get(place) ?? 0) + going);
  }
}
