// Join an organization with a mailed token.
import { html } from '../core/html.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { notify } from '../core/notices.js';
import { loadPerson } from '../core/person.js';
import { go } from '../core/router.js';
import { chooseOrganization } from '../core/session.js';

export default function AcceptInvitation({ query }) {
  async function accept() {
    const organization = await post('invitations/accept', { token: query.get('token') || '' });
    await loadPerson();
    chooseOrganization(organization.id);
    notify(t('You have joined {name}.', { name: organization.name }));
    go('/library');
  }
  return html`
    <${Screen} title=${t('Invitation')} narrow>
      <p>${t('Join the organization that has invited you? Its members will see your username and mail address.')}</p>
      <${Form} class="section" submit=${accept} label=${t('Join')}>
        ${(faults) => faults.token && html`<p class="fault" role="alert">${faults.token}</p>`}
      <//>
    <//>
  `;
}
