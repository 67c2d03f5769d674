// Answers on their way to the disk: kept in the browser until the server has confirmed them, and sent in their order.

const MOST = 200;
const BYTES = 100_000;
const WAITS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
const PATIENCE = 15_000;

/** Kept answers. Each has an entry of its own, so that two tabs never write over each other. */
export class Kept {
  constructor(key) {
    this.prefix = `rate:${key}:`;
    this.answers = new Map();
    this.stamp = 0;
    this.storage = working();
    if (this.storage) this.read();
  }

  read() {
    const names = Object.keys(this.storage).filter((name) => name.startsWith(this.prefix)).sort();
    for (const name of names) this.take(name, this.storage.getItem(name));
  }

  take(name, text) {
    this.stamp = Math.max(this.stamp, parseInt(name.slice(this.prefix.length), 10) || 0);
    try {
      this.answers.set(name, JSON.parse(text));
    } catch {
      // Cut off by a full disk: it was never shown as taken.
      this.storage.removeItem(name);
    }
  }

  /** Keep an answer; whether it outlives this page. */
  add(answer) {
    // Names sort in the order of answering, also where the clock is set back meanwhile.
    this.stamp = Math.max(Date.now(), this.stamp + 1);
    const name = `${this.prefix}${String(this.stamp).padStart(15, "0")}:${answer.event}`;
    this.answers.set(name, answer);
    try {
      this.storage?.setItem(name, JSON.stringify(answer));
      return this.storage !== null;
    } catch {
      this.storage = null;
      return false;
    }
  }

  drop(events) {
    const gone = new Set(events);
    for (const [name, answer] of this.answers) {
      if (!gone.has(answer.event)) continue;
      this.answers.delete(name);
      this.storage?.removeItem(name);
    }
  }

  /** What another tab kept or dropped; the answer, where it is a new one. */
  changed({ key, newValue }) {
    if (!key?.startsWith(this.prefix)) return null;
    if (newValue === null) this.answers.delete(key);
    else this.take(key, newValue);
    return newValue === null ? null : this.answers.get(key) ?? null;
  }

  /** The oldest answers, as many as one request takes. */
  batch(most = MOST) {
    const found = [];
    let bytes = 0;
    for (const [, answer] of [...this.answers].sort(([a], [b]) => (a < b ? -1 : 1))) {
      bytes += new TextEncoder().encode(JSON.stringify(answer)).length;
      if (found.length === most || (found.length && bytes > BYTES)) break;
      found.push(answer);
    }
    return found;
  }
}

function working() {
  try {
    localStorage.setItem("rate?", "1");
    localStorage.removeItem("rate?");
    return localStorage;
  } catch {
    return null;
  }
}

/** Sends what is kept until nothing is. `tell(confirmed, places)`, `refuse(answer, why)`, `changed()`. */
export class Sender {
  constructor(address, kept, hooks) {
    Object.assign(this, { address, kept, hooks, state: "saved", why: "", failed: 0, going: false, timer: 0 });
  }

  /** Begin, if nothing is on its way. */
  async send() {
    clearTimeout(this.timer);
    if (this.going) return;
    this.going = true;
    let most = MOST;
    while (this.kept.answers.size) {
      const batch = this.kept.batch(most);
      this.set("sending");
      const found = await post(this.address, batch);
      if (found.ok) {
        this.failed = 0;
        this.kept.drop(found.data.confirmed);
        this.hooks.tell(found.data.confirmed, found.data.places);
        most = MOST;
      } else if (found.refused && batch.length > 1) {
        most = 1;
      } else if (found.refused) {
        this.kept.drop([batch[0].event]);
        this.hooks.refuse(batch[0], found.why);
      } else {
        this.wait(found);
        break;
      }
    }
    this.going = false;
    if (!this.kept.answers.size) this.set("saved");
  }

  wait(found) {
    this.timer = setTimeout(() => this.send(), WAITS[Math.min(this.failed, WAITS.length - 1)]);
    this.failed += 1;
    this.set(found.state, found.why);
  }

  set(state, why = "") {
    Object.assign(this, { state, why });
    this.hooks.changed();
  }
}

/** A POST of JSON: `ok` with its data, `refused` for good, or a state to try again from. */
export async function post(address, data) {
  const body = JSON.stringify(data);
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body,
      // It goes on while the page is closed; browsers allow this for short ones.
      keepalive: body.length < 30_000,
      signal: AbortSignal.timeout(PATIENCE),
    });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok && said.error === undefined) return { ok: true, data: said };
    const why = said.error ?? `the server answered ${answer.status}`;
    if (answer.status === 404) return { state: "unknown", why };
    return answer.status === 400 ? { refused: true, why } : { state: "busy", why };
  } catch {
    return { state: "offline", why: "" };
  }
}
