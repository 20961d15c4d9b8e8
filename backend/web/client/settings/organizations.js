// Organizations, their members and invitations.
import { html, useState } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Members } from '../components/members.js';
import { ROLES } from '../components/statuses.js';
import { post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { loadPerson } from '../core/person.js';
import { session } from '../core/session.js';

export function Organizations() {
  const [open, setOpen] = useState(0);
  const { organizations } = session.value;
  const create = ({ name }) => post('organizations', { name }).then(loadPerson);
  return html`
    <ul class="entries">${organizations.map((one) => html`<li key=${one.id}>
      <div class="entry-main"><strong dir="auto">${one.name}</strong> <span class="badge">${one.personal ? t('Your own') : ROLES()[one.role]}</span></div>
      ${!one.personal && html`<button class="button small" aria-expanded=${open === one.id ? 'true' : 'false'} onClick=${() => setOpen(open === one.id ? 0 : one.id)}>${t('Members')}</button>`}
      ${open === one.id && html`<${Members} organization=${one} />`}</li>`)}</ul>
    <${Form} class="inline-form" submit=${create} label=${t('Make an organization')} kind="" resets>
      ${(faults) => html`<${Field} label=${t('Name')} name="name" required fault=${faults.name} />`}
    <//>
  `;
}
