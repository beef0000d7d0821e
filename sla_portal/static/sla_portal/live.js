// Counts clocks on between the server's answers and asks for news while the tab is seen. Pages work without it.
(() => {
  const doc = document, body = doc.body, all = (css, root = doc) => [...root.querySelectorAll(css)];
  const started = new WeakMap();

  // The server says: seconds left (negative: late by), its own time then, and until when the clock runs.
  const span = s => {
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, rest = s % 60, two = n => String(n).padStart(2, "0"), out = [];
    if (h) out.push(h + " h");
    if (m) out.push((h ? two(m) : m) + " min");
    if (s < 600 && (rest || !m)) out.push((m ? two(rest) : rest) + " s");
    return out.join(" ").replaceAll(" ", "\u00a0");
  };
  const count = () => all("[data-left]").forEach(el => {
    if (!started.has(el)) started.set(el, Date.now());
    const { left, now, until } = el.dataset;
    let gone = Math.max(0, Math.floor((Date.now() - started.get(el)) / 1000));
    if (until) gone = Math.max(0, Math.min(gone, until - now));
    const rest = el.dataset.rest = left - gone, text = span(left < 0 ? -rest : Math.max(0, rest));
    if (el.textContent !== text) el.textContent = text;
  });

  const off = () => all("input[data-live-switch]").some(el => !el.checked);
  let last = Date.now();
  const tick = () => {
    last = Date.now();
    if (!off()) body.dispatchEvent(new Event("tick"));
  };
  const every = body.dataset.live * 1000;
  const step = () => {
    if (doc.hidden) return;
    count();
    if (every && Date.now() - last >= every) tick();
  };
  setInterval(step, 1000);
  count();
  doc.addEventListener("visibilitychange", step);
  addEventListener("pageshow", e => {
    if (e.persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward") tick();
  });

  // A refresh never takes a form out of somebody's hands, and leaves the focus where it was.
  const stops = el => all("a, button, input, summary, textarea, select", el);
  let held;
  const hold = target => {
    const at = target.id ? stops(target).indexOf(doc.activeElement) : -1;
    if (at >= 0) held = [target.id, at];
  };
  const settle = () => {
    const again = held && stops(doc.getElementById(held[0]) || body)[held[1]];
    held = null;
    if (again && again !== doc.activeElement) again.focus({ preventScroll: true });
    count();
  };
  body.addEventListener("htmx:beforeSwap", ({ detail: d }) => {
    if (new URL(d.xhr.responseURL || location).pathname === "/login/") return location.reload();
    if (d.requestConfig.triggeringEvent?.type !== "tick") return;
    const form = doc.activeElement.closest("form:has(textarea, input:not([type=hidden]))");
    if (d.target.querySelector("details[open] form") || (form && d.target.contains(form))) d.shouldSwap = false;
    else hold(d.target);
  });
  body.addEventListener("htmx:oobBeforeSwap", e => hold(e.detail.target));
  ["htmx:afterSettle", "htmx:oobAfterSwap"].forEach(name => body.addEventListener(name, settle));
})();
