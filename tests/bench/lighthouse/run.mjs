// node run.mjs CHROMIUM BASE COOKIE PATH…: each path's page as Lighthouse's phone on slow 4G sees it first, a JSON line each.
import * as launcher from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromePath, base, Cookie, ...paths] = process.argv.slice(2);
for (const path of paths) {
  // A browser a page: cookies that an answer sets would replace the given ones, and its cache make the next page's load light
  const chrome = await launcher.launch({ chromePath, chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
  const flags = { port: chrome.port, onlyCategories: ["performance"], extraHeaders: { Cookie } };
  const { lhr } = await lighthouse(base + path, flags);
  console.log(JSON.stringify({
    path: new URL(lhr.finalDisplayedUrl).pathname,
    score: Math.round(lhr.categories.performance.score * 100),
    largest: lhr.audits["largest-contentful-paint"].numericValue,
    bytes: lhr.audits["total-byte-weight"].numericValue,
  }));
  await chrome.kill();
}
