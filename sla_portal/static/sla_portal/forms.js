// Forms: one press sends once, no connection sends nothing, half-typed text stays on this device. Forms work without it.
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
    if (form.action.endsWith("/logout/")) Object.keys(localStorage).filter(k => k.startsWith("draft:")).forEach(k => localStorage.removeItem(k));
    if (!navigator.onLine) {
      e.preventDefault();
      return void notice("unsent", true)?.focus();
    }
    if (form.dataset.sent) return e.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
  });

  // Drafts stay on this device, per person, until the page that shows them done; of a card number, its last four digits.
  const isCard = d => [...d].reverse().reduce((sum, c, i) => sum + (i % 2 ? 2 * c - 9 * (c > 4) : +c), 0) % 10 === 0;
  const CARD = /(^[ -]*|[^\d -][ -]*)([2-6]\d{3}(?:[ .\-\u00a0]?\d){10,15})(?![ -]?\d)/g;
  const masked = text => text.replace(CARD, (all, before, card) =>
    isCard(card.replace(/\D/g, "")) ? before + card.replace(/\d(?=(?:\D*\d){4})/g, "\u2022") : all);
  const key = name => `draft:${body.dataset.user || ""}:${name}`;
  const fields = form => [...form.elements].filter(f => f.name && !/hidden|password|file|submit|button/.test(f.type));
  const store = localStorage;
  all("[data-draft-done]").forEach(el => store.removeItem(key(el.dataset.draftDone)));
  all("form[data-draft]").forEach(form => {
    const name = key(form.dataset.draft), box = f => /radio|checkbox/.test(f.type);
    const kept = JSON.parse(store.getItem(name) || "{}");
    if (!doc.querySelector(".errors")) fields(form).forEach(f => {
      const v = kept[box(f) ? f.name + "=" + f.value : f.name];
      if (v === undefined) return;
      if (box(f)) f.checked = v; else if (!f.value) f.value = v;
    });
    form.addEventListener("input", () => store.setItem(name, JSON.stringify(Object.fromEntries(
      fields(form).map(f => box(f) ? [f.name + "=" + f.value, f.checked] : [f.name, masked(f.value)])))));
  });
  // The live switch is remembered on this device.
  all("input[data-live-switch]").forEach(el => {
    el.checked = store.getItem("live") !== "off";
    el.addEventListener("change", () => store.setItem("live", el.checked ? "on" : "off"));
  });
  doc.querySelector(".errors")?.focus();
})();
