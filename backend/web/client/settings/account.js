// Everything of the account as a file, and its end.
import { html, useState } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { post, remove, send } from '../core/api.js';
import { t } from '../core/i18n.js';
import { follow } from '../core/jobs.js';
import { notify, notifyFault } from '../core/notices.js';
import { forget } from '../core/session.js';

/** Download what an export job has made. @param {string} url */
async function download(url) {
  const response = await send('GET', new URL(url, location.origin).pathname.replace(/^.*\/api\/v1\//, ''), {});
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = 'fuze-account.zip';
  link.click();
}

export function Account() {
  const [isRunning, setRunning] = useState(false);
  async function exportAll() {
    setRunning(true);
    try {
      const job = await post('profile/export');
      let last = job;
      await follow(job.id, (now) => (last = now), new AbortController().signal);
      if (last.result?.download_url) await download(last.result.download_url);
      else notify(last.error || t('Something went wrong.'), { kind: 'fault' });
    } catch (error) {
      notifyFault(error);
    }
    setRunning(false);
  }
  const end = ({ password }) => remove('profile', { password }).then(forget);
  return html`
    <p>${t('Everything that Fuze holds about you, as one file.')}</p>
    <div><button class="button" disabled=${isRunning} onClick=${exportAll}>${isRunning ? t('One moment…') : t('Export my account')}</button></div>
    <h2 class="section">${t('Delete the account')}</h2>
    <p>${t('Your own collection and everything in it goes with it. This cannot be undone.')}</p>
    <${Form} submit=${end} label=${t('Delete the account')} kind="danger">
      ${(faults) => html`<${Field} label=${t('Password')} name="password" type="password" autocomplete="current-password" required fault=${faults.password} />`}
    <//>
  `;
}
