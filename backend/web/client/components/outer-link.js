// A link that leaves: only to http and https, and without telling the page where it was opened.
import { html } from '../core/html.js';
import { webAddress } from '../core/addresses.js';

/** @param {{ href: string, children: any, class?: string, onClick?: () => void, [attribute: string]: any }} props */
export function OuterLink({ href, children, ...attributes }) {
  const address = webAddress(href);
  if (!address) return html`<span ...${attributes}>${children}</span>`;
  return html`<a href=${address} target="_blank" rel="noopener noreferrer" ...${attributes}>${children}</a>`;
}
