// Of Tabler's 635 kB no page needs more than 36: what templates and code name stays (tests/sla_portal/test_stylesheet.py).
const fs = require("fs");

const theme = fs.readFileSync("sla_portal/static/sla_portal/theme.css", "utf8");
const rooms = "{accounts,contracts,incidents,messaging,monitoring,reports,sla_portal,wording}";

module.exports = {
  css: ["node_modules/@tabler/core/dist/css/tabler.min.css"],
  content: ["templates/**/*.html", `${rooms}/**/*.{py,js}`],
  output: "node_modules/.built/tabler.min.css",
  variables: true,
  keyframes: true,
  fontFace: true,
  // Our theme reads and sets Tabler's variables from a file of its own
  safelist: { variables: [...new Set(theme.match(/--tblr-[\w-]+/g))] },
};
