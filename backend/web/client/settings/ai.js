// A language model of one's own, and what was used of it.
import { html } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { get, post, put, remove } from '../core/api.js';
import { number, t } from '../core/i18n.js';
import { follow } from '../core/jobs.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyFault } from '../core/notices.js';
import { ApiError } from '../core/problems.js';

/** The provider, or {} where there is none. @param {AbortSignal} signal */
async function provider(signal) {
  try {
    return await get('profile/ai', {}, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return {};
    throw error;
  }
}

export function Ai() {
  const loaded = useLoaded(provider, []);
  const usage = useLoaded((signal) => get('profile/ai/usage', {}, signal), []);
  const own = loaded.data || {};
  const save = ({ base_url, model, api_key }) => put('profile/ai', { base_url, model, ...(api_key ? { api_key } : {}) }).then(() => {
    notify(t('Saved'));
    loaded.reload();
  });
  async function test() {
    try {
      const job = await post('profile/ai/test');
      await follow(job.id, (now) => {
        if (now.status === 'succeeded') notify(t('The model answers.'));
        if (now.status === 'failed') notify(now.error, { kind: 'fault' });
      }, new AbortController().signal);
    } catch (error) {
      notifyFault(error);
    }
  }
  return html`
    <p class="muted">${t('Any OpenAI-compatible endpoint. Without one, breakdowns use outlines. The key is stored encrypted and never shown.')}</p>
    <${Form} key=${own.updated_at} submit=${save} label=${t('Save')}>
      ${(faults) => html`
        <${Field} label=${t('Address')} name="base_url" type="url" value=${own.base_url || ''} fault=${faults.base_url} />
        <${Field} label=${t('Model')} name="model" value=${own.model || ''} fault=${faults.model} />
        <${Field} label=${t('Key')} name="api_key" type="password" autocomplete="off" hint=${own.api_key_hint || ''} fault=${faults.api_key} />`}
    <//>
    ${own.base_url && html`<div class="actions"><button class="button" onClick=${test}>${t('Test')}</button>
      <button class="button danger" onClick=${() => remove('profile/ai').then(loaded.reload).catch(notifyFault)}>${t('Remove')}</button></div>`}
    ${usage.data && html`<dl class="facts">
      <dt>${t('Calls today')}</dt><dd>${number(usage.data.today.calls)}</dd>
      <dt>${t('Tokens today')}</dt><dd>${number(usage.data.today.prompt_tokens + usage.data.today.completion_tokens)}</dd>
      <dt>${t('Tokens this month')}</dt><dd>${number(usage.data.month.prompt_tokens + usage.data.month.completion_tokens)}</dd>
    </dl>`}
  `;
}
