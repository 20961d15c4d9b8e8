// Readability.js as its documentation calls it. In and out: lines of JSON, as of peer_readers.py.
"use strict";

const { createInterface } = require("node:readline");
const { JSDOM, VirtualConsole } = require("jsdom");
const { Readability } = require("@mozilla/readability");

function read(page) {
  // An own console, since jsdom reports each style sheet that it does not understand.
  const { document } = new JSDOM(page.html, { url: page.url, virtualConsole: new VirtualConsole() }).window;
  const article = new Readability(document).parse();
  if (!article) return { text: null, title: null, author: null };
  return { text: article.textContent, title: article.title, author: article.byline };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const start = process.cpuUsage();
  const result = read(JSON.parse(line));
  const used = process.cpuUsage(start);
  console.log(JSON.stringify({ ...result, seconds: (used.user + used.system) / 1e6 }));
});
