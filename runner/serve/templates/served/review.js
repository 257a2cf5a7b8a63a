// A number chooses in the first question that has no answer yet, or in the only one; Enter records.
"use strict";
const form = document.getElementById("judge");

if (form) {
  document.getElementById("keys").hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !event.target.matches("a, button")) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const open = [...form.querySelectorAll("fieldset")];
    const asked = open.find((each) => !each.querySelector("input:checked")) || (open.length === 1 ? open[0] : null);
    const input = asked && asked.querySelector(`input[data-key="${CSS.escape(event.key)}"]`);
    if (input) { input.checked = true; input.focus(); event.preventDefault(); }
  });
}
