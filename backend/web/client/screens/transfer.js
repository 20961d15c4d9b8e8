// Import from elsewhere with live progress, and export.
import { html, useEffect, useState } from '../core/html.js';
import { ExportLinks } from '../components/export-links.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { ImportProgress } from '../components/import-progress.js';
import { Choice } from '../components/choice.js';
import { Screen } from '../components/screen.js';
import { call, get, remove } from '../core/api.js';
import { forgetLists } from '../core/bookmark-list.js';
import { t } from '../core/i18n.js';
import { follow, hasEnded } from '../core/jobs.js';
import { notifyFault } from '../core/notices.js';
import { setQuery } from '../core/router.js';

const FOLDERS = () => ({ tags: t('become tags'), projects: t('become projects'), ignore: t('are left out') });
const DUPLICATES = () => ({ merge: t('get the new tags'), keep: t('stay as they are') });

export default function Transfer({ query }) {
  const [job, setJob] = useState(/** @type {any} */ (null));
  const id = query.get('job');
  useEffect(() => {
    if (!id) return undefined;
    const controller = new AbortController();
    get(`jobs/${id}`).then(setJob).then(() => follow(id, setJob, controller.signal)).then(forgetLists).catch((error) => !controller.signal.aborted && notifyFault(error));
    return () => controller.abort();
  }, [id]);

  async function upload({ file, folders, on_duplicate }) {
    const body = new FormData();
    body.append('file', file);
    const started = await call('POST', 'bookmarks/import', { body, query: { folders, on_duplicate } });
    setQuery({ job: started.id });
  }
  const cancel = () => remove(`jobs/${id}`).then(setJob).catch(notifyFault);
  return html`
    <${Screen} title=${t('Import, export')} narrow>
      <section class="stack">
        <h2>${t('Import')}</h2>
        ${job && html`<${ImportProgress} job=${job} cancel=${hasEnded(job) ? null : cancel} />`}
        <p class="muted">${t('Exports of browsers, Pocket, Instapaper, Raindrop, linkding, wallabag and others are recognised by their content.')}</p>
        <${Form} submit=${upload} label=${t('Import')}>
          ${(faults) => html`
            <${Field} label=${t('File')} name="file" type="file" required fault=${faults.file} />
            <div class="columns">
              <${Choice} label=${t('Folders')} name="folders" options=${FOLDERS()} value="tags" fault=${faults.folders} />
              <${Choice} label=${t('Links you have already')} name="on_duplicate" options=${DUPLICATES()} value="merge" fault=${faults.on_duplicate} />
            </div>`}
        <//>
      </section>
      <${ExportLinks} />
    <//>
  `;
}
