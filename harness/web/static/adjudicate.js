// Decide one dispute: keys, the draft of a decision kept in this browser, and saving, which ends when the server
// says that the decision is on disk.
"use strict";

const desk = document.querySelector(".desk");
if (desk) decideHere(desk);
else document.addEventListener("keydown", (event) => {
  const first = document.querySelector("[data-key=Enter]");
  if (event.key === "Enter" && first && event.target === document.body) location.href = first.href;
});
document.documentElement.dataset.keys = "on";

function decideHere(desk) {
  const form = document.getElementById("form");
  const { code, policy, seen, status } = desk.dataset;
  const name = `adjudicate ${policy} ${code}`;
  const said = form.querySelector("[data-said]");
  const decided = seen !== "";
  const before = JSON.stringify(read());
  let sending = false;

  // --- what the form says ---

  function read() {
    const data = new FormData(form);
    const grade = data.get("grade");
    const gap = data.get("cause") === "policy_gap";
    return {
      grade: grade === null ? null : Number(grade),
      reasoning: data.get("reasoning").trim(),
      clauses: data.getAll("clauses"),
      cause: data.get("cause"),
      unclear: (gap && data.get("unclear")) || null,
      wording: gap ? data.get("wording").trim() : "",
      note: data.get("note").trim(),
    };
  }

  function write(one) {
    for (const radio of form.querySelectorAll("[name=grade]")) radio.checked = Number(radio.value) === one.grade;
    for (const radio of form.querySelectorAll("[name=cause]")) radio.checked = radio.value === one.cause;
    for (const box of boxes()) box.checked = one.clauses.includes(box.value);
    form.elements.reasoning.value = one.reasoning;
    form.elements.unclear.value = one.unclear || "";
    form.elements.wording.value = one.wording;
    form.elements.note.value = one.note;
    show();
  }

  function boxes() {
    return Array.from(document.querySelectorAll("[name=clauses]"));
  }

  function show() {
    const { cause, clauses } = read();
    form.querySelector("[data-gap]").hidden = cause !== "policy_gap";
    form.querySelector("[data-cited]").textContent = clauses.join(", ") || "none";
    for (const box of boxes()) box.closest("li").classList.toggle("cited", box.checked);
  }

  // --- the draft ---

  function draft() {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  }

  function keep() {
    try {
      const now = read();
      const last = draft();
      // The same decision keeps its id, so that it is recorded once if it has to be sent again.
      const same = last && JSON.stringify(last.said) === JSON.stringify(now);
      const kept = same ? last : { id: crypto.randomUUID(), said: now };
      if (JSON.stringify(now) === before) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(kept));
      return kept.id;
    } catch {
      tell("This browser keeps no drafts: save before you leave the page.");
      return crypto.randomUUID();
    }
  }

  function forget() {
    try {
      localStorage.removeItem(name);
    } catch { /* There is none. */ }
  }

  function restore() {
    const last = draft();
    if (!last) return;
    write(last.said);
    form.querySelector("[data-draft]").hidden = false;
    if (decided) reopen();
  }

  function changed() {
    show();
    keep();
  }

  form.addEventListener("input", changed);
  for (const box of boxes()) box.addEventListener("change", changed);
  form.querySelector("[data-discard]").addEventListener("click", () => {
    forget();
    write(JSON.parse(before));
    form.querySelector("[data-draft]").hidden = true;
    form.elements.reasoning.focus();
  });

  // --- saving ---

  function tell(text, kind = "") {
    said.textContent = text;
    said.className = `notice ${kind}`;
    said.hidden = false;
    form.hidden = false;
    if (kind === "bad") said.scrollIntoView({ block: "nearest" });
  }

  function lacking(one) {
    const lacks = [];
    if (one.grade === null) lacks.push("a grade");
    if (!one.reasoning && !("bare" in form.dataset)) lacks.push("a chain of thought");
    if (!one.cause) lacks.push("why there was a dispute");
    return lacks;
  }

  async function save(one, id) {
    const lacks = lacking(one);
    if (lacks.length) return tell(`Not saved: it lacks ${lacks.join(", ")}.`, "bad");
    if (sending) return;
    sending = true;
    tell("Saving ...");
    try {
      const answer = await fetch(`/disputes/${code}/decision`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ id, seen, ...one }),
      });
      took(answer.status, await answer.json());
    } catch {
      tell("Not saved: the server does not answer. Your draft is kept in this browser; save again when it is back.", "bad");
    } finally {
      sending = false;
    }
  }

  function took(status, answer) {
    if (status === 409) {
      const now = answer.now ? `It is ${answer.now.grade} now (${answer.now.cause.toLowerCase() || "no cause given"}). ` : "";
      tell(`Not saved: this dispute was decided meanwhile. ${now}Reload the page to see it; your draft is kept.`, "bad");
    } else if (status !== 200) {
      tell(`Not saved:\n${(answer.faults || [answer.error]).join("\n")}`, "bad");
    } else {
      forget();
      if (answer.second_look) location.replace(`/disputes/${code}`);
      else location.href = answer.next ? `/disputes/${answer.next}?saved=${code}` : `/?show=all`;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(read(), keep());
  });

  // --- a decision that is there ---

  function reopen() {
    form.hidden = false;
    form.querySelector("h2").scrollIntoView({ block: "start" });
    form.elements.reasoning.focus();
  }

  const keeps = document.querySelector("[data-keep]");
  const reopens = document.querySelector("[data-reopen]");
  const keepId = crypto.randomUUID();
  const kept = () => save(JSON.parse(before), keepId);
  keeps?.addEventListener("click", kept);
  reopens?.addEventListener("click", reopen);

  for (const start of document.querySelectorAll("[data-start]")) {
    start.addEventListener("click", () => {
      const { grade, reasoning, clauses } = start.dataset;
      const known = boxes().map((box) => box.value);
      const cited = clauses.split(" ").filter((id) => known.includes(id));
      write({ ...read(), grade: Number(grade), reasoning, clauses: cited });
      keep();
      reopen();
    });
  }

  // --- the clauses ---

  const search = document.querySelector("[data-search]");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const item of document.querySelectorAll("[data-clause]")) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      found += !item.hidden;
    }
    document.querySelector("[data-found]").textContent = words.length ? `${found} found` : "";
  });

  // --- keys ---

  const causes = { g: "policy_gap", a: "ambiguous_result", s: "raters_slip", e: "edge_case" };
  const help = document.getElementById("keys");
  document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

  function choose(input) {
    if (!input || form.hidden) return;
    input.checked = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function go(to) {
    if (to) location.href = `/disputes/${to}`;
  }

  const does = {
    j: () => go(desk.dataset.after),
    k: () => go(desk.dataset.before),
    o: () => decided && reopen(),
    r: () => !form.hidden && form.elements.reasoning.focus(),
    "/": () => search.focus(),
    "?": () => help.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (help.open) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (form.hidden && status === "look") kept();
      else if (!form.hidden) form.requestSubmit();
      return;
    }
    if (event.key === "Escape") document.activeElement?.blur();
    const typing = event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) choose(form.querySelector(`[name=grade][value="${event.key}"]`));
    else if (causes[event.key]) choose(form.querySelector(`[name=cause][value=${causes[event.key]}]`));
    else if (does[event.key]) does[event.key]();
    else return;
    event.preventDefault();
  });

  show();
  restore();
}
