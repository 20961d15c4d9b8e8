// Steps of a task, proposed first and made into subtasks where the person agrees.
import { html, useState } from '../core/html.js';
import { post } from '../core/api.js';
import { follow } from '../core/jobs.js';
import { t, tn } from '../core/i18n.js';
import { notify, notifyFault } from '../core/notices.js';

/** @param {{ taskId: number, applied: () => void }} props */
export function Breakdown({ taskId, applied }) {
  const [job, setJob] = useState(/** @type {any} */ (null));
  const [chosen, setChosen] = useState(/** @type {Set<number>} */ (new Set()));
  const steps = job?.result?.subtasks || [];

  async function propose() {
    try {
      const started = await post(`tasks/${taskId}/breakdown`, { engine: 'auto', max_subtasks: 8, apply: false });
      setJob(started);
      await follow(started.id, (now) => {
        setJob(now);
        setChosen(new Set((now.result?.subtasks || []).map((_, at) => at)));
      }, new AbortController().signal);
    } catch (error) {
      notifyFault(error);
    }
  }
  async function apply() {
    const items = steps.filter((_, at) => chosen.has(at)).map(({ title, description }) => ({ title, description, parent_id: taskId }));
    try {
      await post('tasks/bulk', { items });
      setJob(null);
      notify(tn('One subtask made', '{n} subtasks made', items.length));
      applied();
    } catch (error) {
      notifyFault(error);
    }
  }
  function toggle(at) {
    const next = new Set(chosen);
    if (!next.delete(at)) next.add(at);
    setChosen(next);
  }

  const isRunning = job && ['queued', 'running'].includes(job.status);
  return html`
    <div class="stack-small">
      <div><button class="button" disabled=${isRunning} onClick=${propose}>${isRunning ? t('One moment…') : t('Propose steps')}</button></div>
      ${job?.status === 'failed' && html`<p class="fault" role="alert">${job.error}</p>`}
      ${job?.status === 'succeeded' && !steps.length && html`<p class="muted" role="status">${t('No steps found: describe the task in more words.')}</p>`}
      ${steps.length > 0 && html`<div class="card" role="status">
        <h3>${t('Proposed steps')}</h3>
        ${steps.map((step, at) => html`<label key=${at} class="check"><input type="checkbox" checked=${chosen.has(at)} onChange=${() => toggle(at)} />
          <span dir="auto">${step.title}</span> ${step.estimate_minutes ? html`<span class="badge">${tn('{n} min', '{n} min', step.estimate_minutes)}</span>` : null}</label>`)}
        <div class="actions"><button class="button primary" disabled=${!chosen.size} onClick=${apply}>${t('Make them subtasks')}</button>
          <button class="button" onClick=${() => setJob(null)}>${t('Cancel')}</button></div>
      </div>`}
    </div>
  `;
}
