// Log in.
import { html } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { t } from '../core/i18n.js';
import { logIn } from '../core/session.js';

export default function Login({ query }) {
  const next = query.get('next');
  return html`
    <${Screen} title=${t('Log in')} narrow>
      <${Form} submit=${({ login, password }) => logIn(login, password)} label=${t('Log in')}>
        ${(faults) => html`
          <${Field} label=${t('Username or mail address')} name="login" autocomplete="username" autofocus required fault=${faults.login} />
          <${Field} label=${t('Password')} name="password" type="password" autocomplete="current-password" required fault=${faults.password} />`}
      <//>
      <p class="apart"><a href="forgot-password">${t('Forgotten your password?')}</a></p>
      <p>${t('New here?')} <a href=${`register${next ? `?next=${encodeURIComponent(next)}` : ''}`}>${t('Make an account')}</a></p>
    <//>
  `;
}
