// Renews a round's page while people rate. Without this script the page is renewed every 15 seconds.
"use strict";

const EVERY = 3000;
const place = document.querySelector("[data-live]");
if (place) setTimeout(look, EVERY);

async function look() {
  try {
    const now = await (await fetch(place.dataset.live)).json();
    place.querySelector("[data-said]").textContent = now.said;
    place.querySelector("progress").value = now.given;
    if (now.stamp !== place.dataset.stamp) await renew(now.stamp);
  } catch {
    place.querySelector("[data-said]").textContent = "The viewer does not answer. This page tries again.";
  }
  setTimeout(look, EVERY);
}

// The server writes every figure once, in the page: take the part of it that changed.
async function renew(stamp) {
  const text = await (await fetch(location.href)).text();
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-live]");
  if (!fresh) return;
  place.replaceChildren(...fresh.childNodes);
  place.dataset.stamp = stamp;
  // tables.js looks again which tables have to be scrolled.
  window.dispatchEvent(new Event("resize"));
}
