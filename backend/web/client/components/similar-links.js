// Links that are like one.
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';

/** @param {{ id: number }} props */
export function SimilarLinks({ id }) {
  const similar = useLoaded((signal) => get(`bookmarks/${id}/similar`, { limit: 6 }, signal), [id]);
  const items = similar.data?.items || [];
  if (!items.length) return null;
  return html`
    <section class="section">
      <h2>${t('Similar links')}</h2>
      <ul class="entries">
        ${items.map(({ bookmark }) => html`<li key=${bookmark.id}><div class="entry-main">
          <a dir="auto" href=${`bookmarks/${bookmark.id}`}>${bookmark.title || bookmark.url}</a><p class="muted">${bookmark.domain}</p></div></li>`)}
      </ul>
    </section>
  `;
}
