// One task: editing, its subtasks, a breakdown into steps, what to read for it.
import { html } from '../core/html.js';
import { Breakdown } from '../components/breakdown.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Choice } from '../components/choice.js';
import { Recommendations } from '../components/recommendations.js';
import { Screen } from '../components/screen.js';
import { PRIORITIES, TASK_STATUSES } from '../components/statuses.js';
import { Loaded } from '../components/states.js';
import { TaskLine } from '../components/task-line.js';
import { get, patch, post, read, remove } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyUndoable } from '../core/notices.js';
import { go } from '../core/router.js';

export default function TaskScreen({ parameters }) {
  const loaded = useLoaded((signal) => read(`tasks/${parameters.id}`, { signal }), [parameters.id]);
  return html`<${Loaded} of=${loaded}>${({ data, etag }) => html`<${Task} task=${data} etag=${etag} reload=${loaded.reload} />`}<//>`;
}

/** @param {{ task: any, etag: string | null, reload: () => void }} props */
function Task({ task, etag, reload }) {
  const subtasks = useLoaded((signal) => get('tasks', { parent_id: task.id, page_size: 100 }, signal), [task.id]);
  const back = task.project_id ? `/projects/${task.project_id}` : '/tasks';
  async function save({ due_at, ...values }) {
    await patch(`tasks/${task.id}`, { ...values, due_at: due_at || null }, etag);
    notify(t('Saved'));
    reload();
  }
  async function discard() {
    await remove(`tasks/${task.id}`);
    notifyUndoable(t('Moved to the trash'), () => post(`tasks/${task.id}/restore`).then(() => go(`/tasks/${task.id}`)));
    go(back);
  }
  const addSubtask = ({ title }) => post('tasks', { title, parent_id: task.id, project_id: task.project_id }).then(subtasks.reload);
  const items = subtasks.data?.items || [];
  return html`
    <${Screen} title=${task.title} narrow actions=${html`<${ConfirmedButton} label=${t('Delete')} title=${t('Delete the task')} text=${t('Its subtasks go with it.')} run=${discard} />`}>
      <p><a href=${back.slice(1)}>${task.project_id ? t('To the project') : t('To the tasks')}</a>${task.parent_id ? html` · <a href=${`tasks/${task.parent_id}`}>${t('To the parent task')}</a>` : ''}</p>
      <div class="card section"><${Form} key=${task.updated_at} submit=${save} label=${t('Save')}>
        ${(faults) => html`
          <${Field} label=${t('Title')} name="title" value=${task.title} dir="auto" fault=${faults.title} />
          <${Field} as="textarea" label=${t('Description')} name="description" value=${task.description} dir="auto" fault=${faults.description} hint=${t('Lines that begin with a dash become steps.')} />
          <div class="columns">
            <${Choice} label=${t('State')} name="status" options=${TASK_STATUSES()} value=${task.status} fault=${faults.status} />
            <${Choice} label=${t('Priority')} name="priority" options=${PRIORITIES()} value=${task.priority} fault=${faults.priority} />
            <${Field} label=${t('Due')} name="due_at" type="date" value=${(task.due_at || '').slice(0, 10)} fault=${faults.due_at} />
          </div>`}
      <//></div>
      <section class="section"><h2>${t('Subtasks')}</h2>
        <ul class="tree">${items.map((one) => html`<${TaskLine} key=${one.id} task=${one} changed=${subtasks.reload} />`)}</ul>
        <${Form} class="inline-form" submit=${addSubtask} label=${t('Add')} kind="" resets>${(faults) => html`<${Field} label=${t('New subtask')} name="title" required fault=${faults.title} />`}<//>
        <${Breakdown} taskId=${task.id} applied=${subtasks.reload} />
      </section>
      <${Recommendations} title=${t('To read for this task')} subject=${{ task_id: task.id }} projectId=${task.project_id} />
    <//>
  `;
}
