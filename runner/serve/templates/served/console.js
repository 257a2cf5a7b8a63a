// Runs a statement without leaving the page, so that it can be cancelled, and keeps what was asked in this tab.
"use strict";
const form = document.getElementById("console");
const text = document.getElementById("sql");
const status = document.getElementById("status");
const cancel = document.getElementById("cancel");
const past = document.getElementById("history");
const KEPT = 20;
let ticket = null;

function send(path, more) {
  const fields = new URLSearchParams({ form: form.elements.form.value, ...more });
  return fetch(path, { method: "POST", body: fields, credentials: "same-origin" });
}

function asked() {
  try {
    return JSON.parse(sessionStorage.getItem("asked")) || [];
  } catch {
    return [];
  }
}

function remember(sql) {
  const all = [sql, ...asked().filter((each) => each !== sql)].slice(0, KEPT);
  sessionStorage.setItem("asked", JSON.stringify(all));
  list();
}

function list() {
  const rows = asked().map((sql) => {
    const [item, shown, button] = ["li", "pre", "button"].map((name) => document.createElement(name));
    shown.textContent = sql;
    button.type = "button";
    button.textContent = "Edit again";
    button.addEventListener("click", () => { text.value = sql; text.focus(); });
    item.append(shown, button);
    return item;
  });
  past.querySelector("ol").replaceChildren(...rows);
  past.hidden = rows.length === 0;
}

async function run() {
  if (ticket) return;
  ticket = crypto.randomUUID();
  cancel.hidden = false;
  status.textContent = "At work";
  remember(text.value);
  try {
    const answer = await send("/sql", { sql: text.value, ticket });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("answer");
    if (!found) throw new Error(page.body.textContent.trim());
    document.getElementById("answer").replaceChildren(...found.childNodes);
    status.textContent = page.getElementById("status").textContent;
  } catch (error) {
    status.textContent = `No answer: ${error.message}`;
  }
  ticket = null;
  cancel.hidden = true;
}

form.addEventListener("submit", (event) => {
  if (event.submitter && event.submitter.value === "csv") return;
  event.preventDefault();
  run();
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); }
});
cancel.addEventListener("click", () => { if (ticket) send("/sql/cancel", { ticket }); });
document.getElementById("keys").hidden = false;
list();
