// A short list of links, each a line.
import { html } from '../core/html.js';
import { ago } from '../core/dates.js';

/** @param {{ items: any[], beside?: (item: any) => any }} props */
export function LinkList({ items, beside }) {
  return html`
    <ul class="entries">
      ${items.map((item) => html`<li key=${item.id}>
        <div class="entry-main"><a dir="auto" href=${`bookmarks/${item.id}`}>${item.title || item.url}</a>
          <p class="muted">${item.domain} · ${ago(item.created_at)}</p></div>${beside?.(item)}</li>`)}
    </ul>
  `;
}
