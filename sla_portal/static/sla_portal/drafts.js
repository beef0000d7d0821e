// Drafts: half-typed text stays on this device. Forms work without it.
(() => {
  const doc = document, body = doc.body, store = localStorage, all = css => [...doc.querySelectorAll(css)];
  doc.addEventListener("submit", e => {
    if (e.target.action.endsWith("/logout/")) Object.keys(store).filter(k => k.startsWith("draft:")).forEach(k => store.removeItem(k));
  });

  // Drafts stay on this device, per person, until the page that shows them done; of a card number, its last four digits.
  const isCard = d => [...d].reverse().reduce((sum, c, i) => sum + (i % 2 ? 2 * c - 9 * (c > 4) : +c), 0) % 10 === 0;
  const CARD = /(^[ -]*|[^\d -][ -]*)([2-6]\d{3}(?:[ .\-\u00a0]?\d){10,15})(?![ -]?\d)/g;
  const masked = text => text.replace(CARD, (all, before, card) =>
    isCard(card.replace(/\D/g, "")) ? before + card.replace(/\d(?=(?:\D*\d){4})/g, "\u2022") : all);
  const key = name => `draft:${body.dataset.user || ""}:${name}`;
  const fields = form => [...form.elements].filter(f => f.name && !/hidden|password|file|submit|button/.test(f.type));
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
})();
