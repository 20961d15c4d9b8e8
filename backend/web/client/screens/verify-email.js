// Confirm a mail address with a mailed token.
import { html } from '../core/html.js';
import { Screen } from '../components/screen.js';
import { Loaded } from '../components/states.js';
import { post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';

export default function VerifyEmail({ query }) {
  const token = query.get('token') || '';
  const done = useLoaded(() => post('auth/email/verify', { token }).then(() => true), [token]);
  return html`
    <${Screen} title=${t('Mail address')} narrow>
      <${Loaded} of=${done}>${() => html`<p role="status">${t('Your mail address is confirmed.')}</p>`}<//>
      <p class="apart"><a href="./">${t('Go on')}</a></p>
    <//>
  `;
}
