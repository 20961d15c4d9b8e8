// Addresses: of this server below its base path, and of pages that may be opened.
const BASE = new URL(document.baseURI);

/** The address of a path of this server. @param {string} path such as `api/v1/tags` */
export const address = (path) => new URL(path.replace(/^\//, ''), BASE);

/** The path of an address below the base path, with a slash in front; null outside of it. @param {URL} url */
export function screenPath(url) {
  if (url.origin !== BASE.origin || !url.pathname.startsWith(BASE.pathname)) return null;
  return `/${url.pathname.slice(BASE.pathname.length)}`.replace(/(.)\/$/, '$1');
}

/** The address if a browser may open it: http and https only. @param {unknown} value @returns {string | null} */
export function webAddress(value) {
  try {
    const url = new URL(String(value));
    return ['http:', 'https:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The first web address in a text. @param {string} text */
export function addressIn(text) {
  const found = /https?:\/\/[^\s<>"]+/i.exec(text);
  return found ? webAddress(found[0]) : null;
}
