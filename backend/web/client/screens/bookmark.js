// One link: what is known of it, editing, what is like it.
import { html, useState } from '../core/html.js';
import { BookmarkEditor } from '../components/bookmark-editor.js';
import { BookmarkFacts } from '../components/bookmark-facts.js';
import { Icon } from '../components/icon.js';
import { OuterLink } from '../components/outer-link.js';
import { Screen } from '../components/screen.js';
import { SimilarLinks } from '../components/similar-links.js';
import { Loaded } from '../components/states.js';
import { post, read } from '../core/api.js';
import { act } from '../core/bookmark-actions.js';
import { forgetLists, showChanged } from '../core/bookmark-list.js';
import { t } from '../core/i18n.js';
import { useInterval, useLoaded } from '../core/loading.js';
import { notify, notifyFault } from '../core/notices.js';

const LIVE_MS = 2000;

export default function BookmarkScreen({ parameters }) {
  const loaded = useLoaded((signal) => read(`bookmarks/${parameters.id}`, { signal }), [parameters.id]);
  return html`<${Loaded} of=${loaded}>${({ data, etag }) => html`<${Details} bookmark=${data} etag=${etag} loaded=${loaded} />`}<//>`;
}

/** @param {{ bookmark: any, etag: string | null, loaded: any }} props */
function Details({ bookmark, etag, loaded }) {
  const [isEditing, setEditing] = useState(false);
  const isPending = bookmark.capture.status === 'pending' && !isEditing;
  useInterval(loaded.reload, LIVE_MS, isPending);

  function saved(changed, nextEtag) {
    loaded.set({ data: changed, etag: nextEtag });
    showChanged(changed);
    setEditing(false);
    notify(t('Saved'));
  }
  async function run(action) {
    await act(null, [bookmark.id], action);
    forgetLists();
    loaded.reload();
  }
  async function recapture() {
    await post(`bookmarks/${bookmark.id}/capture`).catch(notifyFault);
    loaded.reload();
  }

  const title = bookmark.title || bookmark.url;
  const toggle = (isOn, on, off, icon, label) => html`
    <button class="button icon-only" aria-pressed=${isOn ? 'true' : 'false'} aria-label=${label} title=${label} onClick=${() => run(isOn ? off : on)}><${Icon} name=${icon} /></button>`;
  return html`
    <${Screen} title=${title} narrow>
      <div class="stack">
        <p class="muted"><${OuterLink} href=${bookmark.url}>${bookmark.url}<//></p>
        <div class="actions">
          ${bookmark.capture.status === 'captured' && html`<a class="button primary" href=${`bookmarks/${bookmark.id}/read`}><${Icon} name="read" />${t('Read')}</a>`}
          <${OuterLink} class="button" href=${bookmark.url}><${Icon} name="open" />${t('Open the page')}<//>
          ${toggle(bookmark.is_favorite, 'favorite', 'unfavorite', 'star', t('Favourite'))}
          ${toggle(bookmark.is_read, 'read', 'unread', 'check', t('Read already'))}
          ${toggle(bookmark.is_archived, 'archive', 'unarchive', 'archive', t('Archived'))}
          <button class="button" onClick=${() => setEditing(!isEditing)} aria-expanded=${isEditing ? 'true' : 'false'}><${Icon} name="edit" />${t('Edit')}</button>
          ${bookmark.deleted_at
            ? html`<button class="button" onClick=${() => run('restore')}>${t('Restore')}</button>`
            : html`<button class="button danger icon-only" aria-label=${t('Delete')} title=${t('Delete')} onClick=${() => run('delete')}><${Icon} name="trash" /></button>`}
        </div>
        ${isEditing ? html`<${BookmarkEditor} bookmark=${bookmark} etag=${etag} saved=${saved} cancel=${() => setEditing(false)} />`
          : html`<${BookmarkFacts} bookmark=${bookmark} recapture=${recapture} />`}
        <${SimilarLinks} id=${bookmark.id} />
      </div>
    <//>
  `;
}
