// Every page works without this script. It saves a click, and renews the numbers of a run in progress.
"use strict";

for (const select of document.querySelectorAll("[data-submits]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

const said = document.querySelector("[data-ticked]");
if (said) {
  const boxes = Array.from(document.querySelectorAll("input[name=run]"));
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    said.textContent = ticked < 2 ? `${ticked} ticked; tick two: the oldest one is the base.` : `${ticked} ticked.`;
  };
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

for (const point of document.querySelectorAll(".trend [data-run]")) {
  point.addEventListener("click", () => { location.href = point.dataset.run; });
}

const EVERY = 1500;
for (const place of document.querySelectorAll("[data-progress]")) {
  if (place.dataset.state === "going") setTimeout(() => renew(place), EVERY);
}

async function renew(place) {
  try {
    const answer = await fetch(place.dataset.progress);
    const now = await answer.json();
    if (now.state === "finished") {
      location.reload();
      return;
    }
    place.querySelector("progress").value = now.done;
    place.querySelector("[data-said]").textContent = now.said;
    place.dataset.state = now.state;
  } catch {
    place.querySelector("[data-said]").textContent = "The viewer does not answer any more.";
  }
  setTimeout(() => renew(place), EVERY);
}
