// A key is answered from what the page holds; the answer is on its way to the disk meanwhile.

import { Page, at } from "./rate-page.js";
import { NoState, Session, load } from "./rate-session.js";
import { CAUSES } from "./rate-view.js";

const CLOSED = "Your set is closed. You can look at your answers.";
const here = location.pathname.replace(/\/+$/, "");
// So long after a grade, keys are meant for the pair that was expected next, and not for the reason that is asked for.
const MOMENT = 1_000;
const AGAIN = 4_000;
let page, session;
let unasked = 0;

const keyed = {
  u: () => {
    if (page.locked) return closed();
    page.phase = page.phase === "cause" ? "grade" : "cause";
    page.show();
    page.announce("Why can it not be rated? 1 the text is ambiguous, 2 the policy says nothing, 3 not enough is shown.");
  },
  l: () => {
    if (page.locked) return closed();
    session.say(page.place, "later");
    page.onwards("For later.");
  },
  z: () => {
    if (page.work.sealed) return closed();
    const place = session.undo();
    if (place === null) page.hint("There is nothing to undo.");
    else page.go(place, "Undone.");
  },
  r: () => (page.locked ? closed() : ask()),
  c: () => page.openPolicy(),
  "/": () => page.openPolicy(),
  v: () => {
    page.list = !page.list;
    page.show();
    page.announce(page.list ? "All results of the query." : "One pair at a time.");
  },
  "?": () => page.help(),
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
};

function closed() {
  if (page.work.sealed) page.hint(CLOSED);
}

async function grade(value) {
  if (page.locked) return closed();
  const { place } = page;
  const given = session.reason(place);
  await session.say(place, "grade", { grade: value, ...given });
  const words = `Graded ${value}, ${page.levelOf(value).name}.`;
  if (!page.isAsked() || given.reasoning) return page.onwards(words);
  ask(`${words} Why? A reason is asked for here.`);
  unasked = performance.now() + MOMENT;
}

async function cannot(cause) {
  await session.say(page.place, "cannot", { cannot: cause, ...session.reason(page.place) });
  page.onwards("Noted as not to be rated.");
}

function ask(words = "") {
  unasked = 0;
  page.phase = "reason";
  page.show();
  at("reason").focus();
  if (words) page.announce(words);
}

function keepReason() {
  const { place } = page;
  const said = page.work.said(place);
  if (!said || said.kind === "later") return page.go(place, "The reason goes with your grade.");
  const given = session.reason(place);
  if (given.reasoning === said.reasoning && String(given.clauses) === String(said.clauses)) return leaveReason();
  const what = said.kind === "grade" ? { grade: said.grade } : { cannot: said.cannot };
  session.say(place, said.kind, { ...what, ...given });
  page.onwards("Reason kept.");
}

function leaveReason() {
  session.drafts.delete(page.place);
  if (page.isAsked()) page.onwards("");
  else page.go(page.place);
}

function cite(id) {
  if (page.locked) return closed();
  session.cite(page.place, id);
  unasked = 0;
  if (page.phase === "reason") page.showReason();
  else ask();
}

function step(by) {
  if (page.phase === "done") return page.go(page.place);
  const to = page.place + by;
  if (page.work.pairs[to] === undefined) return page.hint(by < 0 ? "This is the first pair." : "This is the last pair.");
  page.go(to);
}

async function seal() {
  const why = await session.seal();
  if (why) return page.hint(why, true);
  page.go(null);
}

function pressed(event) {
  session.watch.sign();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return inDialog(event, dialog);
  const field = event.target.closest?.("textarea, input");
  if (event.key === "Escape") leave();
  else if (field?.id === "reason") inReason(event, field);
  // A key that is held down would grade one pair after the other.
  else if (!field && !event.repeat && page.single && onKey(event.key)) event.preventDefault();
}

function inDialog(event, dialog) {
  // The browser would close it a moment later, and take the focus from where the next key has put it.
  if (event.key !== "Escape") return;
  event.preventDefault();
  dialog.close();
  // Until the browser lays out again, the switch in it would still take the next key.
  if (dialog.contains(document.activeElement)) at("main").focus({ preventScroll: true });
}

function leave() {
  if (at("rubric").contains(document.activeElement)) page.closePolicy();
  else if (page.phase === "reason") leaveReason();
  else if (page.phase === "cause") page.go(page.place);
}

/** Act on a single key; whether it was one of ours. */
function onKey(key) {
  const cause = page.phase === "cause";
  if (cause && /^[1-3]$/.test(key)) cannot(CAUSES[Number(key) - 1][0]);
  else if (!cause && page.phase !== "done" && page.keys.has(key)) grade(page.keys.get(key));
  else if (Object.hasOwn(keyed, key)) keyed[key]();
  else if (page.phase !== "done" && /^[0-9]$/.test(key)) {
    page.hint(cause ? "Press 1, 2 or 3, or Esc." : `${key} is not on the scale: ${[...page.keys.keys()].join(", ")}.`);
  } else return false;
  return true;
}

function inReason(event, field) {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    keepReason();
  } else if (event.key.length === 1 && performance.now() < unasked) {
    event.preventDefault();
    page.hint("A reason is asked for here. Type it, or press Esc.");
  }
}

function listen() {
  document.addEventListener("keydown", pressed);
  for (const sign of ["pointerdown", "pointermove", "wheel"]) {
    document.addEventListener(sign, () => session.watch.sign(), { passive: true });
  }
  at("search").addEventListener("input", () => page.search());
  at("rubric-close").addEventListener("click", () => page.closePolicy());
  at("finish").addEventListener("click", () => page.finish());
  addEventListener("online", () => session.sender.send());
  addEventListener("storage", (event) => session.otherTab(event));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") return session.watch.stop();
    page.look();
    session.sender.send();
    session.refresh();
  });
  addEventListener("beforeunload", (event) => {
    if (session.unsaved || session.drafts.size) event.preventDefault();
  });
}

async function begin() {
  const state = await load(here);
  page = new Page(state, {
    grade, cannot, cite, seal, keyed, keep: keepReason, skip: leaveReason, typed: (text) => session.type(page.place, text),
    sendRefused: () => session.sendRefused(), deleteRefused: () => session.deleteRefused(),
  });
  session = new Session(here, state, {
    changed: () => page.phase !== "reason" && page.show(), saved: () => page.showCount(), refused: () => page.showRefused(), hint: (words, stays) => page.hint(words, stays),
  });
  page.session = session;
  listen();
  page.go(page.work.sealed ? null : page.work.next(-1));
  page.showRefused();
  session.sender.send();
}

async function open() {
  try {
    await begin();
  } catch (error) {
    if (!(error instanceof NoState)) throw error;
    at("saved").textContent = "";
    at("notice").hidden = false;
    at("notice").textContent = error.unknown
      ? "This link is not known any more. Ask the person who sent it for another one."
      : "The server does not answer at the moment. This page tries again every few seconds.";
    if (!error.unknown) setTimeout(open, AGAIN);
  }
}

open();
