// Highlights of a page: passages that its notes quote, a line each that begins with ">". Searched and exported as notes are.

/** The passages that notes quote. @param {string} notes */
export function quotesIn(notes) {
  return notes
    .split('\n')
    .filter((line) => line.startsWith('>'))
    .map((line) => plain(line.slice(1)))
    .filter(Boolean);
}

/** Notes as passages, quoted or one's own. @param {string} notes @returns {{ text: string, isQuote: boolean }[]} */
export function passagesOf(notes) {
  const lines = notes.split('\n').map((line) => (line.startsWith('>') ? { text: plain(line.slice(1)), isQuote: true } : { text: line, isQuote: false }));
  /** @type {{ text: string, isQuote: boolean }[]} */
  const passages = [];
  for (const line of lines) {
    const last = passages[passages.length - 1];
    if (last && !last.isQuote && !line.isQuote) last.text += `\n${line.text}`;
    else passages.push(line);
  }
  return passages.map(({ text, isQuote }) => ({ text: text.trim(), isQuote })).filter(({ text }) => text);
}

/** Notes with one more passage. @param {string} notes @param {string} passage */
export function withQuote(notes, passage) {
  const quote = `> ${plain(passage)}`;
  return notes.trim() ? `${notes.trimEnd()}\n\n${quote}` : quote;
}

/** @param {string} text blanks of all kinds folded to one */
const plain = (text) => text.replace(/\s+/g, ' ').trim();

/** Between blocks a selection has line ends where the page has none: passages are compared without. @param {string} text */
const unspaced = (text) => text.replace(/\s+/g, '');

/** Mark passages in a page without changing it. @param {Document} page @param {string[]} quotes */
export function markQuotes(page, quotes) {
  const view = /** @type {any} */ (page.defaultView);
  if (!view?.CSS?.highlights) return;
  const { text, places } = textOf(page);
  const ranges = quotes.map(unspaced).map((quote) => rangeOf(page, places, text.indexOf(quote), quote.length)).filter(Boolean);
  view.CSS.highlights.set('quotes', new view.Highlight(...ranges));
}

/** The text of a page without blanks, and where each of its characters stands. @param {Document} page */
function textOf(page) {
  const places = [];
  let text = '';
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const content = node.nodeValue || '';
    for (let at = 0; at < content.length; at += 1) if (/\S/.test(content[at])) places.push({ node, at });
    text += unspaced(content);
  }
  return { text, places };
}

/** @param {Document} page @param {{ node: Node, at: number }[]} places @param {number} from @param {number} length */
function rangeOf(page, places, from, length) {
  if (from < 0 || !length) return null;
  const [first, last] = [places[from], places[from + length - 1]];
  const range = page.createRange();
  range.setStart(first.node, first.at);
  range.setEnd(last.node, last.at + 1);
  return range;
}
