// Make an account.
import { html } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { t } from '../core/i18n.js';
import { register } from '../core/session.js';

export default function Register() {
  return html`
    <${Screen} title=${t('Make an account')} narrow>
      <${Form} submit=${({ email, username, password }) => register({ email, username, password })} label=${t('Make an account')}>
        ${(faults) => html`
          <${Field} label=${t('Mail address')} name="email" type="email" autocomplete="email" autofocus required fault=${faults.email} />
          <${Field} label=${t('Username')} name="username" autocomplete="username" required fault=${faults.username} />
          <${Field} label=${t('Password')} name="password" type="password" autocomplete="new-password" required
            hint=${t('10 characters or more, not a common one.')} fault=${faults.password} />`}
      <//>
      <p class="apart">${t('You have an account?')} <a href="login">${t('Log in')}</a></p>
    <//>
  `;
}
