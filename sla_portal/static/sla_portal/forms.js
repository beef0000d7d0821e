// Forms: one press sends once, no connection sends nothing. They work without it.
(() => {
  const doc = document, body = doc.body, all = css => [...doc.querySelectorAll(css)];
  const free = () => all("form").forEach(form => delete form.dataset.sent);
  const notice = (id, shown) => {
    const el = doc.getElementById(id);
    if (el) el.hidden = !shown;
    return el;
  };
  const online = () => ["offline", "unsent"].forEach(id => notice(id, false));
  body.addEventListener("htmx:sendError", () => notice("offline", true));
  body.addEventListener("htmx:afterOnLoad", online);
  body.addEventListener("htmx:afterRequest", free);
  // "Back" may show a page from the browser's memory: after signing out nobody's is shown again.
  addEventListener("pageshow", e => e.persisted && body.dataset.user ? location.reload() : free());
  addEventListener("online", online);

  doc.addEventListener("submit", e => {
    const form = e.target;
    if (!navigator.onLine) {
      e.preventDefault();
      return void notice("unsent", true)?.focus();
    }
    if (form.dataset.sent) return e.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  });

  // The live switch is remembered on this device.
  all("input[data-live-switch]").forEach(el => {
    el.checked = localStorage.getItem("live") !== "off";
    el.addEventListener("change", () => localStorage.setItem("live", el.checked ? "on" : "off"));
  });
  doc.querySelector(".errors")?.focus();
})();
