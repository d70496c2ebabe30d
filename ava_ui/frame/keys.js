// Keys that every page knows. What is typed into a field is never a key; "g" makes the next letter a page.
(() => {
  const WAIT = 1500;
  let going = 0;
  const typing = target => target.closest && target.closest("input, textarea, select, [contenteditable], .q-dialog");
  const entries = () => [...document.querySelectorAll("a.entry[data-key]")];

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (Date.now() - going < WAIT) {
      going = 0;
      const entry = entries().find(link => link.dataset.key === event.key.toLowerCase());
      event.preventDefault();
      event.stopImmediatePropagation();
      if (entry) entry.click();
      return;
    }
    if (event.key === "g") going = Date.now();
    else if (event.key === "/") {
      const field = document.querySelector(".table-tools input");
      if (!field) return;
      field.focus();
      field.select();
    } else if (event.key === "?") document.querySelector(".frame-keys").click();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
})();
