// Letter keys for staff; switched off by the person's own setting (body[data-shortcuts="off"]). Each key has a link or button too.
(() => {
  const doc = document;
  // The bar of time used goes on with its row's countdown (live.js).
  setInterval(() => doc.querySelectorAll(".q [data-total][data-rest]").forEach(({ dataset: d, parentNode }) => {
    const bar = parentNode.closest("tr").querySelector(".used"), share = Math.floor(100 - d.rest * 100 / d.total);
    bar?.firstChild.setAttribute("width", Math.min(100, share));
    if (bar) bar.nextSibling.data = share + "\u00a0%";
  }), 1000);
  if (doc.body.dataset.shortcuts !== "on") return;
  const rows = () => [...doc.querySelectorAll("table.queue tr.q")];
  const here = () => doc.querySelector("tr.q.here");

  let chosen = "";
  const mark = row => {
    chosen = row.id;
    rows().forEach(other => {
      other.classList.toggle("here", other === row);
      if (other === row) other.setAttribute("aria-current", "true"); else other.removeAttribute("aria-current");
    });
  };
  const choose = row => {
    if (!row) return;
    mark(row);
    row.querySelector(".q-nr a")?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  ["htmx:afterSettle", "htmx:oobAfterSwap"].forEach(name => doc.body.addEventListener(name, () => {
    const row = chosen && doc.getElementById(chosen);
    if (row) mark(row);
  }));
  const move = by => {
    const list = rows(), at = list.indexOf(here());
    choose(list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))]);
  };

  // data-key="r" marks what a key means here: a link is followed, a fold opened, a button only focused (Enter sends).
  const go = key => {
    const row = here(), el = (row || doc).querySelector(`[data-key="${key}"]`);
    if (!el) return row && key !== "r" ? void (location.href = row.querySelector(".q-nr a").href + { u: "#reply", p: "pause/" }[key]) : undefined;
    if (el.tagName === "A") return el.click();
    if (el.tagName === "SUMMARY") el.parentElement.open = true;
    const target = el.tagName === "SUMMARY" ? el.parentElement.querySelector("textarea, input:not([type=hidden]), select, button") || el : el;
    target.focus();
  };

  const shown = css => [...doc.querySelectorAll(css)].find(el => el.checkVisibility());
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    Enter: () => here()?.querySelector(".q-nr a")?.click(),
    r: () => go("r"), u: () => go("u"), p: () => go("p"),
    "/": () => shown("input[type=search]")?.focus(),
    "?": () => { const el = doc.getElementById("keys"); if (el) { el.open = !el.open; el.querySelector("summary").focus(); } },
  };
  doc.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
    const el = e.target;
    if (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)) return;
    if (e.key === "Enter" && el !== doc.body) return;
    e.preventDefault();
    keys[e.key]();
  });
})();
