// Everything as a file.
import { html, useState } from '../core/html.js';
import { send } from '../core/api.js';
import { t } from '../core/i18n.js';
import { notifyFault } from '../core/notices.js';
import { ApiError } from '../core/problems.js';

const FORMATS = () => ({ html: t('HTML, for browsers and other products'), json: t('JSON, which Fuze reads back whole'), csv: t('CSV, for spreadsheets') });

/** Download what the API answers with: it wants the token in a header, which a plain link cannot send. @param {string} format */
async function download(format) {
  const response = await send('GET', 'bookmarks/export', { query: { format, is_archived: 'any' } });
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => null), 0);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = `fuze.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function ExportLinks() {
  const [running, setRunning] = useState('');
  async function run(format) {
    setRunning(format);
    await download(format).catch(notifyFault);
    setRunning('');
  }
  return html`
    <section class="section">
      <h2>${t('Export')}</h2>
      <ul class="entries">${Object.entries(FORMATS()).map(([format, label]) => html`<li key=${format}><span class="entry-main">${label}</span>
        <button class="button" disabled=${running === format} aria-label=${t('Export as {format}', { format: format.toUpperCase() })} onClick=${() => run(format)}>${running === format ? t('One moment…') : t('Export')}</button></li>`)}</ul>
    </section>
  `;
}
