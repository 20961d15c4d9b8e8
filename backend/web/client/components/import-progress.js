// How far an import is, and what it could not take.
import { html } from '../core/html.js';
import { number, t } from '../core/i18n.js';

const MOST_SHOWN = 50;
const STATES = () => ({ queued: t('Waiting'), running: t('Importing'), succeeded: t('Imported'), failed: t('The import failed'), cancelled: t('Cancelled') });

/** @param {{ job: any, cancel: (() => void) | null }} props */
export function ImportProgress({ job, cancel }) {
  const { progress, result, status } = job;
  return html`
    <div class="card" role="status">
      <h3>${STATES()[status]}</h3>
      ${cancel && html`<progress class="progress" max=${progress.total || 1} value=${progress.done} aria-label=${t('Progress')}></progress>
        <p class="muted">${number(progress.done)} / ${number(progress.total)} ${progress.message}</p>
        <div><button class="button small" onClick=${cancel}>${t('Cancel')}</button></div>`}
      ${job.error && html`<p class="fault">${job.error}</p>`}
      ${result && html`<${Result} result=${result} />`}
    </div>
  `;
}

/** @param {{ result: any }} props */
function Result({ result }) {
  const facts = [[t('Found'), result.found], [t('Saved'), result.created], [t('Already there'), result.duplicates], [t('Left out'), result.skipped], [t('Failed'), result.failed]];
  const failures = result.failures || [];
  return html`
    <dl class="facts">${facts.map(([name, value]) => value !== undefined && html`<dt>${name}</dt><dd>${number(value)}</dd>`)}</dl>
    ${failures.length > 0 && html`<details open><summary>${t('What failed')}</summary><div class="scroll-x"><table>
      <thead><tr><th scope="col">${t('Line')}</th><th scope="col">${t('Address')}</th><th scope="col">${t('Reason')}</th></tr></thead>
      <tbody>${failures.slice(0, MOST_SHOWN).map((one) => html`<tr key=${one.line}><td>${one.line}</td><td>${one.url}</td><td>${one.reason}</td></tr>`)}</tbody></table></div></details>`}
    <p><a href="library">${t('To the library')}</a></p>
  `;
}
