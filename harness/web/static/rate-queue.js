// Answers on their way to the disk: kept in the browser until the server has confirmed them, and sent in their order.

const MOST = 200;
const BYTES = 100_000;
const REFUSALS = [400, 413];
const WAITS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
const PATIENCE = 15_000;
// A network that requires a login first answers instead of the server.
const STRANGE = "What answered is not the rating server.";

/** Kept answers. Each has an entry of its own, so that two tabs never write over each other. */
export class Kept {
  constructor(key) {
    this.prefix = `rate:${key}:`;
    this.aside = `rate-refused:${key}:`;
    this.answers = new Map();
    this.refused = new Map();
    this.stamp = 0;
    this.storage = working();
    if (this.storage) this.read();
  }

  read() {
    for (const name of Object.keys(this.storage).sort()) this.take(name, this.storage.getItem(name));
  }

  take(name, text) {
    const [to, prefix] = name.startsWith(this.aside) ? [this.refused, this.aside] : [this.answers, this.prefix];
    if (!name.startsWith(prefix)) return;
    this.stamp = Math.max(this.stamp, parseInt(name.slice(prefix.length), 10) || 0);
    try {
      to.set(name, JSON.parse(text));
    } catch {
      // Cut off by a full disk: it was never shown as taken.
      this.storage.removeItem(name);
    }
  }

  /** Keep an answer; returns whether it is kept after this page is closed. */
  add(answer) {
    // Names sort in the order of answering, also where the clock is set back meanwhile.
    this.stamp = Math.max(Date.now(), this.stamp + 1);
    return this.put(this.answers, `${this.prefix}${String(this.stamp).padStart(15, "0")}:${answer.event}`, answer);
  }

  put(to, name, kept) {
    to.set(name, kept);
    try {
      this.storage?.setItem(name, JSON.stringify(kept));
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

  /** Put an answer aside that the server refused, with its reason: the rater decides what to do with it. */
  refuse(answer, why) {
    for (const [name, one] of this.answers) {
      if (one.event !== answer.event) continue;
      const lasts = this.put(this.refused, this.aside + name.slice(this.prefix.length), { answer, why });
      this.answers.delete(name);
      // Where the browser has no room for it, the old entry stays: it is sent and refused again.
      if (lasts) this.storage.removeItem(name);
    }
  }

  /** Forget the refused answers; returns them. */
  forgetRefused() {
    const found = [...this.refused].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name] of found) this.storage?.removeItem(name);
    this.refused.clear();
    return found.map(([, { answer }]) => answer);
  }

  /** Note what another tab kept or dropped; returns the answer if it is a new one. */
  changed({ key, newValue }) {
    if (newValue !== null) this.take(key, newValue);
    else if (!this.answers.delete(key)) this.refused.delete(key);
    return newValue === null ? null : this.answers.get(key) ?? null;
  }

  /** Whether a name in the browser's storage is of this rater's set. */
  owns(name) {
    return name?.startsWith(this.prefix) || name?.startsWith(this.aside);
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
      if (found.data?.confirmed?.length) {
        this.failed = 0;
        this.kept.drop(found.data.confirmed);
        this.hooks.tell(found.data.confirmed, found.data.places);
      } else if (found.refused && batch.length > 1) {
        // One of them is refused, and the others with it: halves find it.
        most = Math.ceil(batch.length / 2);
      } else if (found.refused) {
        this.kept.refuse(batch[0], found.why);
        this.hooks.refuse(batch[0], found.why);
        most = MOST;
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
    this.set(found.state ?? "busy", found.why ?? STRANGE);
  }

  set(state, why = "") {
    Object.assign(this, { state, why });
    this.hooks.changed();
  }
}

/** A POST of JSON: its `data`, `refused` for what was sent, or a state to try again from. */
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
    const said = await answer.json().catch(() => null);
    if (answer.ok) return said ? { data: said } : { state: "busy", why: STRANGE };
    const why = said?.error ?? `The server answered ${answer.status}.`;
    if (answer.status === 404) return { state: "unknown", why };
    // Anything else may be a fault of the server, or of what stands before it.
    return REFUSALS.includes(answer.status) && said?.error ? { refused: true, why } : { state: "busy", why };
  } catch {
    return { state: "offline", why: "" };
  }
}
