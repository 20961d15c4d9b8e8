// Who is in an organization, and who is invited.
import { html } from '../core/html.js';
import { get, patch, post, remove } from '../core/api.js';
import { day } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyFault } from '../core/notices.js';
import { loadPerson } from '../core/person.js';
import { session } from '../core/session.js';
import { Choice } from './choice.js';
import { ConfirmedButton } from './confirmation.js';
import { Field } from './field.js';
import { Form } from './form.js';
import { ROLES } from './statuses.js';
import { Loaded } from './states.js';

/** @param {{ organization: any }} props */
export function Members({ organization }) {
  const path = `organizations/${organization.id}`;
  const isOwner = organization.role === 'owner';
  const members = useLoaded((signal) => get(`${path}/members`, { page_size: 100 }, signal), [path]);
  const own = session.value.user.id;
  const setRole = (member, role) => patch(`${path}/members/${member.user_id}`, { role }).then(members.reload).catch(notifyFault);
  const expel = (member) => remove(`${path}/members/${member.user_id}`).then(() => (member.user_id === own ? loadPerson() : members.reload()));
  return html`
    <div class="card stack">
      <${Loaded} of=${members}>${(data) => html`<ul class="entries">${data.items.map((member) => html`<li key=${member.user_id}>
        <div class="entry-main">${member.username} <span class="muted">${member.email}</span></div>
        ${isOwner ? html`<select aria-label=${t('Role of {name}', { name: member.username })} class="compact" onChange=${(event) => setRole(member, event.target.value)}>
          ${Object.entries(ROLES()).map(([name, label]) => html`<option key=${name} value=${name} selected=${name === member.role}>${label}</option>`)}</select>` : html`<span class="badge">${ROLES()[member.role]}</span>`}
        ${(isOwner || member.user_id === own) && html`<${ConfirmedButton} class="button small danger" label=${member.user_id === own ? t('Leave') : t('Remove')}
          title=${member.user_id === own ? t('Leave the organization') : t('Remove the member')} text=${member.username} run=${() => expel(member)} />`}</li>`)}</ul>`}<//>
      ${isOwner && html`<${Invitations} path=${path} />`}
      ${isOwner && html`<div><${ConfirmedButton} label=${t('Delete the organization')} title=${t('Delete the organization')} text=${t('Everything in it goes, for all its members. This cannot be undone.')}
        run=${() => remove(path, { name: organization.name }).then(loadPerson)} /></div>`}
    </div>
  `;
}

/** @param {{ path: string }} props */
function Invitations({ path }) {
  const invitations = useLoaded((signal) => get(`${path}/invitations`, { page_size: 100 }, signal), [path]);
  const invite = ({ email, role }) => post(`${path}/invitations`, { email, role }).then(() => {
    notify(t('The invitation is on its way.'));
    invitations.reload();
  });
  const withdraw = (one) => remove(`${path}/invitations/${one.id}`).then(invitations.reload).catch(notifyFault);
  return html`
    <h3>${t('Invite')}</h3>
    <${Form} class="inline-form" submit=${invite} label=${t('Invite')} kind="" resets>
      ${(faults) => html`<${Field} label=${t('Mail address')} name="email" type="email" required fault=${faults.email} /><${Choice} label=${t('Role')} name="role" options=${ROLES()} value="editor" fault=${faults.role} />`}
    <//>
    <ul class="entries">${(invitations.data?.items || []).map((one) => html`<li key=${one.id}><div class="entry-main">${one.email} <span class="muted">${t('until {day}', { day: day(one.expires_at) })}</span></div>
      <button class="button small" onClick=${() => withdraw(one)}>${t('Withdraw')}</button></li>`)}</ul>
  `;
}
