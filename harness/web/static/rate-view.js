// What the rating page shows. Every text of a pair or a policy becomes a text node, never HTML.

export const CAUSES = [
  ["ambiguous_text", "The text is ambiguous"],
  ["policy_silent", "The policy says nothing about it"],
  ["not_enough_shown", "Not enough is shown"],
];
const FACTS = [["brand", "Brand"], ["price", "Price"], ["category", "Category"]];

/** An element with its properties, attributes (with a hyphen, or `role`) and children. */
export function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined) continue;
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A text from outside, in its own direction. */
const own = (tag, text, className = "") => make(tag, { className, dir: "auto", textContent: text });

function facts(rows) {
  if (!rows.length) return null;
  return make("dl", { className: "rate-facts" }, ...rows.flatMap(([name, text]) => [own("dt", name), own("dd", text)]));
}

function picture(pair) {
  return pair.picture
    ? make("img", { src: pair.picture, alt: "", referrerPolicy: "no-referrer", className: "rate-picture" })
    : null;
}

/** The query, and who asks. */
export function queryCard(pair) {
  const context = Object.entries(pair.context);
  return make("section", { className: "rate-query", "aria-label": "Query" },
    make("p", { className: "rate-label", textContent: "The shopper searched for" }),
    own("h2", pair.query, "rate-words"),
    context.length ? facts(context) : null);
}

/** A result as the surface shows it. */
export function resultCard(pair, words) {
  const { title, description, attributes = {} } = pair.result;
  const rows = FACTS.filter(([name]) => pair.result[name]).map(([name, label]) => [label, pair.result[name]]);
  return make("article", { className: "rate-result", "aria-label": words.label, "aria-current": words.current ? "true" : null },
    words.place ? make("p", { className: "rate-label", textContent: words.place }) : null,
    make("div", { className: "rate-product" }, picture(pair),
      make("div", { className: "rate-text" }, title ? own("h3", title) : null, facts(rows),
        description ? own("p", description, "rate-description") : null,
        facts(Object.entries(attributes)))),
    ...words.said.filter(Boolean).map((text, at) => make(at ? "p" : "strong", { className: "rate-own", dir: "auto", textContent: text })));
}

export function gradeButtons(policy, keys, chosen, locked, act) {
  const key = new Map([...keys].map(([name, grade]) => [grade, name]));
  const levels = [...policy.grades].sort((a, b) => a.value - b.value);
  return levels.map(({ value, name }) => make("button", {
    type: "button", className: "rate-grade", disabled: locked, "aria-pressed": String(chosen === value),
    title: `${value}: ${name}${key.has(value) ? ` (key ${key.get(value)})` : ""}`, onclick: () => act(value),
  },
  make("b", { textContent: value }),
  make("span", { textContent: name }),
  key.has(value) && key.get(value) !== String(value) ? make("kbd", { textContent: key.get(value) }) : null));
}

/** Why a pair cannot be rated. */
export function causeButtons(chosen, act) {
  return CAUSES.map(([cause, text], at) => make("button", {
    type: "button", className: "rate-grade rate-cause", "aria-pressed": String(chosen === cause), onclick: () => act(cause),
  }, make("b", { textContent: at + 1 }), make("span", { textContent: text })));
}

export function reasonForm(draft, asked, hooks) {
  const area = make("textarea", {
    id: "reason", rows: 2, maxLength: 2000, value: draft.reasoning, oninput: () => hooks.typed(area.value),
  });
  const cited = draft.clauses.map((id) => make("button", {
    type: "button", className: "rate-cited", textContent: `${id} ×`, "aria-label": `Do not cite ${id}`, onclick: () => hooks.cite(id),
  }));
  return [
    make("label", { htmlFor: "reason", textContent: asked ? "Why? A sentence is enough; the reason is asked for at random." : "Why?" }),
    area,
    make("div", { className: "rate-reason-row" }, ...cited,
      make("button", { type: "button", className: "button first", textContent: "Keep (Enter)", onclick: hooks.keep }),
      make("button", { type: "button", className: "button", textContent: asked ? "Skip (Esc)" : "Close (Esc)", onclick: hooks.skip })),
  ];
}

/** Answers that the server refused, in words, and what can be done about them. */
export function refusedList(lines, hooks) {
  const title = lines.length === 1 ? "1 answer was not taken" : `${lines.length} answers were not taken`;
  return [make("strong", { textContent: `${title}. Kept in this browser; tell the person who sent you the link.` }),
    make("ul", {}, ...lines.map((text) => own("li", text))),
    make("button", { type: "button", className: "button", textContent: "Send again", onclick: hooks.sendRefused }), " ",
    make("button", { type: "button", className: "button", textContent: "Delete", onclick: hooks.deleteRefused })];
}

export function keyBar(entries) {
  return entries.map(({ key, text, name, act, pressed }) => act === null
    ? make("span", { className: "rate-key wide-only" }, make("kbd", { textContent: key }), ` ${text}`)
    : make("button", {
      type: "button", className: `rate-key${text ? "" : " bare"}`, onclick: act, "aria-label": name, "aria-pressed": pressed === undefined ? null : String(pressed),
      "aria-keyshortcuts": { "←": "ArrowLeft", "→": "ArrowRight" }[key] ?? key,
    }, make("kbd", { textContent: key }), ` ${text}`));
}

/** The parts of the policy with the texts that a search looks through. */
export function policyParts(policy, cite) {
  const levels = [...policy.grades].sort((a, b) => b.value - a.value);
  const parts = levels.map((level) => part(make("section", { className: "rate-level" },
    make("h3", {}, make("b", { textContent: level.value }), ` ${level.name}`),
    own("p", level.definition),
    examples(level.examples))));
  const clauses = policy.clauses.map((clause) => part(make("section", { className: "rate-clause", "data-clause": clause.id },
    make("h3", {}, make("code", { textContent: clause.id }),
      make("button", { type: "button", className: "rate-cite", textContent: "Cite", "aria-label": `Cite ${clause.id}`, "aria-pressed": "false", onclick: () => cite(clause.id) })),
    own("p", clause.text),
    clause.why ? own("p", clause.why, "note") : null)));
  const gray = policy.boundaries.map((one) => part(make("section", { className: "rate-level" },
    make("h3", { textContent: `${one.between.join(" or ")}: ${one.grade}` }),
    own("p", `“${one.query}”: ${one.result}`),
    own("p", one.decision))));
  return [["Grades", parts], ["Clauses", clauses], ["Gray areas", gray], ["What it is for", policy.goal ? [part(own("p", policy.goal))] : []]]
    .filter(([, found]) => found.length);
}

function examples(found) {
  if (!found.length) return null;
  return make("ul", { className: "rate-examples" }, ...found.map((one) => own("li", `“${one.query}”: ${one.result}`)));
}

const part = (node) => ({ node, text: node.textContent.toLowerCase() });

/** A dialog with a title, content and buttons; the first button is where the focus goes. */
export function fill(dialog, title, content, buttons) {
  dialog.replaceChildren(make("h2", { id: dialog.getAttribute("aria-labelledby"), textContent: title }), ...content,
    make("div", { className: "buttons" }, ...buttons.map(([text, act, first]) => make("button", {
      type: "button", className: `button${first ? " first" : ""}`, textContent: text,
      onclick: () => { dialog.close(); act?.(); },
    }))));
  if (!dialog.open) dialog.showModal();
}

export function helpTable(rows) {
  return make("table", { className: "rate-help" }, make("tbody", {}, ...rows.map(([key, text]) => make("tr", {},
    make("th", { scope: "row" }, make("kbd", { textContent: key })), make("td", { className: "text", textContent: text })))));
}
