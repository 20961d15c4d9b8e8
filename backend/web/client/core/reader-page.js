// The page that shows a captured text. The server has sanitised it; here it runs no scripts, whatever it holds.

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] || '');

/** Whether the client is shown dark. */
function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
}

/** A whole page. @param {string} markup sanitised @param {string} text in its place @param {string | null} language */
export function readerPage(markup, text, language) {
  const assets = document.querySelector('meta[name=fuze-assets]')?.getAttribute('content') || '';
  const body = markup || text.split(/\n{2,}/).map((part) => `<p>${escaped(part)}</p>`).join('');
  return `<!doctype html><html lang="${escaped(language || '')}" data-theme="${isDark() ? 'dark' : 'light'}"><head><meta charset="utf-8">
<meta name="referrer" content="no-referrer"><base target="_blank"><link rel="stylesheet" href="${location.origin}${assets}reader/reader.css">
</head><body dir="auto">${body}</body></html>`;
}

/** Leave no link but to the web, and have none know where it was opened. @param {Document} page */
export function tameLinks(page) {
  for (const link of page.querySelectorAll('a[href], area[href]')) {
    const href = link.getAttribute('href') || '';
    if (/^https?:\/\//i.test(href)) link.setAttribute('rel', 'noopener noreferrer');
    else link.removeAttribute('href');
  }
}
