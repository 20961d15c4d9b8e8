// Ask for a link to choose a new password.
import { html, useState } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { post } from '../core/api.js';
import { t } from '../core/i18n.js';

export default function ForgotPassword() {
  const [isSent, setSent] = useState(false);
  const submit = ({ email }) => post('auth/password/forgot', { email }).then(() => setSent(true));
  return html`
    <${Screen} title=${t('Forgotten password')} narrow>
      ${isSent
        ? html`<p role="status">${t('If that address has an account here, a mail with a link is on its way. It is good for an hour.')}</p>`
        : html`<${Form} submit=${submit} label=${t('Send me a link')}>
            ${(faults) => html`<${Field} label=${t('Mail address')} name="email" type="email" autocomplete="email" autofocus required fault=${faults.email} />`}
          <//>`}
      <p class="apart"><a href="login">${t('Log in')}</a></p>
    <//>
  `;
}
