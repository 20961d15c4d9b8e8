// All open tasks, by when they are due.
import { html } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Screen } from '../components/screen.js';
import { TASK_STATUSES } from '../components/statuses.js';
import { Empty, Loaded } from '../components/states.js';
import { TaskLine } from '../components/task-line.js';
import { get, post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { setQuery } from '../core/router.js';

const OPEN = ['todo', 'in_progress', 'blocked'];

export default function Tasks({ query }) {
  const status = query.get('status') || 'open';
  const asked = status === 'open' ? OPEN : [status];
  const tasks = useLoaded((signal) => get('tasks', { status: asked, sort: 'due_at', page_size: 100 }, signal), [status]);
  const add = ({ title }) => post('tasks', { title }).then(tasks.reload);
  return html`
    <${Screen} title=${t('Tasks')} narrow>
      <${Form} class="inline-form" submit=${add} label=${t('Add')} resets>${(faults) => html`<${Field} label=${t('New task')} name="title" required fault=${faults.title} />`}<//>
      <div class="bar section"><div class="chips" role="group" aria-label=${t('Filters')}>
        ${[['open', t('Open')], ...Object.entries(TASK_STATUSES())].map(([name, label]) => html`
          <button key=${name} class="chip" aria-pressed=${status === name ? 'true' : 'false'} onClick=${() => setQuery({ status: name })}>${label}</button>`)}
      </div></div>
      <${Loaded} of=${tasks}>${(data) => data.items.length
        ? html`<ul class="tree">${data.items.map((task) => html`<${TaskLine} key=${task.id} task=${task} changed=${tasks.reload} />`)}</ul>`
        : html`<${Empty} icon="task" title=${t('No tasks here.')} />`}<//>
    <//>
  `;
}
