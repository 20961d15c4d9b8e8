// API tokens for scripts and extensions.
import { html, useState } from '../core/html.js';
import { Choice } from '../components/choice.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Loaded } from '../components/states.js';
import { get, post, remove } from '../core/api.js';
import { ago, day } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';

const RESOURCES = ['bookmarks', 'projects', 'tasks', 'search', 'recommendations', 'dashboard', 'organizations', 'jobs'];
const ACCESS = () => ({ read: t('Read everything'), all: t('Read and write everything'), some: t('Only what is chosen below') });

/** The scopes that a form asks for. @param {Record<string, any>} values */
function scopesOf(values) {
  if (values.access === 'all') return ['*:read', '*:write'];
  if (values.access === 'read') return ['*:read'];
  return Object.keys(values).filter((name) => name.includes(':'));
}

export function Tokens() {
  const tokens = useLoaded((signal) => get('auth/tokens', { page_size: 100 }, signal), []);
  const [made, setMade] = useState(/** @type {any} */ (null));
  const [access, setAccess] = useState('read');
  async function create(values) {
    const body = { name: values.name, scopes: scopesOf(values), expires_at: values.expires_at || null };
    setMade(await post('auth/tokens', body));
    tokens.reload();
  }
  return html`
    ${made && html`<div role="status"><p>${t('Copy the token now: it is shown this once.')}</p><code class="secret">${made.token}</code></div>`}
    <${Form} submit=${create} label=${t('Make a token')} resets>
      ${(faults) => html`
        <${Field} label=${t('Name')} name="name" required fault=${faults.name} />
        <${Choice} label=${t('May')} name="access" options=${ACCESS()} value=${access} fault=${faults.scopes} onChange=${(event) => setAccess(event.target.value)} />
        ${access === 'some' && html`<fieldset><legend>${t('Scopes')}</legend><div class="columns">${RESOURCES.flatMap((resource) => ['read', 'write'].map((verb) => html`
          <label key=${`${resource}:${verb}`} class="check"><input type="checkbox" name=${`${resource}:${verb}`} /> <code>${resource}:${verb}</code></label>`))}</div></fieldset>`}
        <${Field} label=${t('Ends on')} name="expires_at" type="date" fault=${faults.expires_at} />`}
    <//>
    <${Loaded} of=${tokens}>${(data) => html`<ul class="entries">${data.items.map((token) => html`<li key=${token.id}>
      <div class="entry-main"><strong>${token.name}</strong> <code>${token.prefix}…</code>
        <p class="muted">${token.scopes.join(', ')} · ${token.last_used_at ? t('used {when}', { when: ago(token.last_used_at) }) : t('never used')}${token.expires_at ? ` · ${t('ends on {day}', { day: day(token.expires_at) })}` : ''}</p></div>
      <${ConfirmedButton} label=${t('Delete')} name=${t('Delete token {name}', { name: token.name })} class="button small danger" title=${t('Delete the token')} text=${t('What uses it stops working at once.')} run=${() => remove(`auth/tokens/${token.id}`).then(tokens.reload)} /></li>`)}</ul>`}<//>
  `;
}
