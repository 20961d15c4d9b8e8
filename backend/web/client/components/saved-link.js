// A link that was just saved, with what becomes of its page.
import { html, useState } from '../core/html.js';
import { get } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useInterval } from '../core/loading.js';
import { Icon } from './icon.js';

const POLL_MS = 1500;
const TEXTS = () => ({
  pending: t('The page is being read…'),
  captured: t('The page has been read.'),
  failed: t('The page could not be read.'),
  skipped: t('The page is not read.'),
});

/** @param {{ bookmark: any }} props */
export function SavedLink({ bookmark }) {
  const [shown, setShown] = useState(bookmark);
  const status = shown.capture.status;
  useInterval(async () => setShown(await get(`bookmarks/${bookmark.id}`).catch(() => shown)), POLL_MS, status === 'pending');
  return html`
    <div class="card saved-link" role="status">
      <p><${Icon} name="check" /> <strong>${t('Saved:')}</strong> <a dir="auto" href=${`bookmarks/${shown.id}`}>${shown.title || shown.url}</a></p>
      <p class="muted"><span class=${`dot dot-${status}`}></span> ${TEXTS()[status]} ${shown.capture.error || ''}</p>
    </div>
  `;
}
