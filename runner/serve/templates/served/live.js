// Where something can change by itself, the page is asked for again and its live parts are exchanged; focus stays.
"use strict";
const EVERY = 3000;

function place(element) {
  const href = element && element.getAttribute && element.getAttribute("href");
  return href ? `a[href="${CSS.escape(href)}"]` : null;
}

function open(part) {
  return [...part.querySelectorAll("details")].map((each) => each.open);
}

function exchange(now, then) {
  if (now.innerHTML === then.innerHTML) return;
  const focus = now.contains(document.activeElement) ? place(document.activeElement) : null;
  const unfolded = open(now);
  const scrolled = [...now.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  now.replaceChildren(...then.childNodes);
  now.querySelectorAll("details").forEach((each, at) => { each.open = Boolean(unfolded[at]); });
  now.querySelectorAll(".scroll").forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
  if (focus) now.querySelector(focus)?.focus({ preventScroll: true });
}

async function again() {
  const begun = performance.now();
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(`the program answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const id of ["states", "live"]) {
        const [now, then] = [document.getElementById(id), page.getElementById(id)];
        if (now && then) exchange(now, then);
      }
      document.body.classList.remove("stale");
    } catch (error) {
      document.body.classList.add("stale");
      const states = document.getElementById("states");
      const said = "This page is no longer up to date: the program has ended.";
      if (states && states.textContent !== said) states.textContent = said;
    }
  }
  setTimeout(again, Math.max(EVERY, 10 * (performance.now() - begun)));
}

if (document.querySelector("[data-live]")) setTimeout(again, EVERY);
