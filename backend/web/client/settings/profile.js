// Name, mail address, zone, first day of the week, password.
import { html } from '../core/html.js';
import { Choice } from '../components/choice.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Loading } from '../components/states.js';
import { patch, post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { notify, notifyFault } from '../core/notices.js';
import { session } from '../core/session.js';

const WEEK_STARTS = () => ({ monday: t('Monday'), saturday: t('Saturday'), sunday: t('Sunday') });

export function Profile() {
  const { profile } = session.value;
  if (!profile) return html`<${Loading} />`;
  async function save(values) {
    const changes = Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== '' && value !== profile[name]));
    const saved = await patch('profile', changes);
    session.value = { ...session.value, profile: saved, user: { ...session.value.user, username: saved.username } };
    notify(t('Saved'));
  }
  const verify = () => post('auth/email/verification').then(() => notify(t('A mail with a link is on its way.'))).catch(notifyFault);
  return html`
    ${!profile.email_verified_at && html`<p class="banner">${t('Your mail address is not confirmed yet.')} <button class="button small" onClick=${verify}>${t('Send the link again')}</button></p>`}
    <${Form} submit=${save} label=${t('Save')}>
      ${(faults) => html`
        <${Field} label=${t('Username')} name="username" autocomplete="username" value=${profile.username} fault=${faults.username} />
        <${Field} label=${t('Mail address')} name="email" type="email" autocomplete="email" value=${profile.email} fault=${faults.email} />
        <${Field} label=${t('Password')} name="current_password" type="password" autocomplete="current-password" fault=${faults.current_password} hint=${t('Needed to change the mail address.')} />
        <${Choice} label=${t('Time zone')} name="time_zone" options=${zones(profile.time_zone)} value=${profile.time_zone} fault=${faults.time_zone} />
        <${Choice} label=${t('The week begins on')} name="week_start" options=${WEEK_STARTS()} value=${profile.week_start} fault=${faults.week_start} />`}
    <//>
    <h2 class="section">${t('Password')}</h2>
    <${Password} />
  `;
}

/** @param {string} own */
function zones(own) {
  const names = [...new Set([own, 'UTC', ...Intl.supportedValuesOf('timeZone')])];
  return Object.fromEntries(names.map((name) => [name, name]));
}

function Password() {
  const submit = (values) => post('profile/password', values).then(() => notify(t('The password is changed.')));
  return html`<${Form} submit=${submit} label=${t('Change the password')} kind="" resets>
    ${(faults) => html`
      <${Field} label=${t('Present password')} name="current_password" type="password" autocomplete="current-password" fault=${faults.current_password} />
      <${Field} label=${t('New password')} name="new_password" type="password" autocomplete="new-password" fault=${faults.new_password} hint=${t('10 characters or more, not a common one.')} />`}
  <//>`;
}
