// Choose a new password with a mailed token.
import { html, useState } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { post } from '../core/api.js';
import { t } from '../core/i18n.js';

export default function ResetPassword({ query }) {
  const [isDone, setDone] = useState(false);
  const submit = ({ password, revoke_tokens }) =>
    post('auth/password/reset', { token: query.get('token') || '', password, revoke_tokens: Boolean(revoke_tokens) }).then(() => setDone(true));
  return html`
    <${Screen} title=${t('New password')} narrow>
      ${isDone
        ? html`<p role="status">${t('The password is changed, and every session has ended.')}</p>`
        : html`<${Form} submit=${submit} label=${t('Change the password')}>
            ${(faults) => html`
              <${Field} label=${t('New password')} name="password" type="password" autocomplete="new-password" autofocus required
                hint=${t('10 characters or more, not a common one.')} fault=${faults.password} />
              <label class="check"><input type="checkbox" name="revoke_tokens" /> ${t('End all API tokens too')}</label>
              ${faults.token && html`<p class="fault" role="alert">${faults.token}</p>`}`}
          <//>`}
      <p class="apart"><a href="login">${t('Log in')}</a></p>
    <//>
  `;
}
