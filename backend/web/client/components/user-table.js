// People of this server, disabled and enabled.
import { html, useState } from '../core/html.js';
import { get, post } from '../core/api.js';
import { day } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { useDelayed, useLoaded } from '../core/loading.js';
import { session } from '../core/session.js';
import { ConfirmedButton } from './confirmation.js';
import { Field } from './field.js';
import { Loaded } from './states.js';

export function UserTable() {
  const [q, setQ] = useState('');
  const users = useLoaded((signal) => get('admin/users', { q, page_size: 100 }, signal), [q]);
  const type = useDelayed((value) => setQ(value.trim()), 200);
  const change = (user) => post(`admin/users/${user.id}/${user.disabled_at ? 'enable' : 'disable'}`).then(users.reload);
  const own = session.value.user.id;
  return html`
    <section class="section"><h2>${t('People')}</h2>
      <${Field} label=${t('Name or mail address')} name="q" type="search" onInput=${(event) => type(event.target.value)} />
      <${Loaded} of=${users}>${(data) => html`<div class="scroll-x"><table>
        <thead><tr><th scope="col">${t('Username')}</th><th scope="col">${t('Mail address')}</th><th scope="col">${t('Role')}</th><th scope="col">${t('Since')}</th><th scope="col">${t('Access')}</th></tr></thead>
        <tbody>${data.items.map((user) => html`<tr key=${user.id}><td>${user.username}</td><td>${user.email}</td><td>${user.role}</td><td>${day(user.created_at)}</td>
          <td>${user.id !== own && html`<${ConfirmedButton} class="button small" label=${user.disabled_at ? t('Enable') : t('Disable')} name=${`${user.disabled_at ? t('Enable') : t('Disable')}: ${user.username}`}
            title=${user.disabled_at ? t('Enable') : t('Disable')} text=${user.username} run=${() => change(user)} />`}</td></tr>`)}</tbody>
      </table></div>`}<//>
    </section>
  `;
}
