// Where one is logged in.
import { html } from '../core/html.js';
import { Loaded } from '../components/states.js';
import { get, remove } from '../core/api.js';
import { ago } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notifyFault } from '../core/notices.js';
import { logOut } from '../core/session.js';

export function Sessions() {
  const sessions = useLoaded((signal) => get('auth/sessions', { page_size: 100 }, signal), []);
  const end = (one) => remove(`auth/sessions/${one.id}`).then(sessions.reload).catch(notifyFault);
  return html`
    <${Loaded} of=${sessions}>${(data) => html`<ul class="entries">${data.items.map((one) => html`<li key=${one.id}>
      <div class="entry-main"><span>${one.user_agent || t('Unknown program')}</span>
        <p class="muted">${one.ip} · ${ago(one.last_used_at)} ${one.current ? html`<span class="badge badge-accent">${t('This one')}</span>` : ''}</p></div>
      ${!one.current && html`<button class="button small" onClick=${() => end(one)}>${t('End')}</button>`}</li>`)}</ul>`}<//>
    <div class="actions">
      <button class="button" onClick=${() => logOut().catch(notifyFault)}>${t('Log out')}</button>
      <button class="button danger" onClick=${() => logOut(true).catch(notifyFault)}>${t('Log out everywhere')}</button>
    </div>
  `;
}
