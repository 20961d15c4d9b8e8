// Administration: health, the cache, people.
import { html } from '../core/html.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Screen } from '../components/screen.js';
import { Loaded } from '../components/states.js';
import { UserTable } from '../components/user-table.js';
import { address } from '../core/addresses.js';
import { get, remove } from '../core/api.js';
import { number, t } from '../core/i18n.js';
import { useInterval, useLoaded } from '../core/loading.js';
import { notify } from '../core/notices.js';

const HEALTH_MS = 10_000;

export default function Admin() {
  const health = useLoaded((signal) => fetch(address('api/health'), { signal }).then((response) => response.json()), []);
  const cache = useLoaded((signal) => get('cache/stats', {}, signal), []);
  useInterval(health.reload, HEALTH_MS, true);
  const clear = () => remove('cache').then(() => {
    notify(t('The cache is empty.'));
    cache.reload();
  });
  return html`
    <${Screen} title=${t('Administration')}>
      <${Loaded} of=${health}>${(data) => html`<${Health} health=${data} />`}<//>
      <section class="section"><h2>${t('Cache')}</h2>
        <${Loaded} of=${cache}>${(data) => html`<dl class="facts"><dt>${t('Hits')}</dt><dd>${number(data.hits)}</dd><dt>${t('Misses')}</dt><dd>${number(data.misses)}</dd><dt>${t('Hit rate')}</dt><dd>${number(data.hit_rate_percent)} %</dd></dl>`}<//>
        <div><${ConfirmedButton} label=${t('Empty the cache')} title=${t('Empty the cache')} text=${t('It fills again by itself.')} run=${clear} /></div>
      </section>
      <${UserTable} />
    <//>
  `;
}

/** @param {{ health: any }} props */
function Health({ health }) {
  return html`
    <section><h2>${t('Health')}: ${health.status} <span class="muted">${health.version}</span></h2>
      <ul class="columns section">${Object.entries(health.checks).map(([name, check]) => html`<li key=${name} class="card"><h3>${name}</h3>
        <p><span class=${`dot ${check.status === 'healthy' ? 'dot-captured' : check.status === 'disabled' ? '' : 'dot-failed'}`}></span> ${check.status}</p><p class="muted">${check.detail || ''}</p></li>`)}</ul>
    </section>
  `;
}
