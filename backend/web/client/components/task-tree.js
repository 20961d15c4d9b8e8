// The tasks of a project as a tree: moved by dragging, by buttons, or by Alt and the arrow keys.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { get, post } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notifyFault } from '../core/notices.js';
import { moveOf, treeOf } from '../core/task-moves.js';
import { Field } from './field.js';
import { Form } from './form.js';
import { Icon } from './icon.js';
import { Loaded } from './states.js';
import { TaskLine } from './task-line.js';

const STEPS = { ArrowUp: 'up', ArrowDown: 'down', ArrowRight: 'in', ArrowLeft: 'out' };

/** All tasks of a project: some pages. @param {number} projectId @param {AbortSignal} signal */
async function allTasks(projectId, signal) {
  const tasks = [];
  let cursor = '';
  do {
    const page = await get('tasks', { project_id: projectId, page_size: 100, cursor }, signal);
    tasks.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return tasks;
}

/** @param {{ projectId: number }} props */
export function TaskTree({ projectId }) {
  const loaded = useLoaded((signal) => allTasks(projectId, signal), [projectId]);
  const [moved, setMoved] = useState(0);
  const list = useRef(/** @type {any} */ (null));
  useEffect(() => {
    if (moved) list.current?.querySelector(`[data-task="${moved}"] a`)?.focus();
  }, [loaded.data]);

  const add = ({ title }) => post('tasks', { title, project_id: projectId }).then(loaded.reload);
  async function move(id, body) {
    if (!body) return;
    try {
      await post(`tasks/${id}/move`, body);
      setMoved(id);
      loaded.reload();
    } catch (error) {
      notifyFault(error);
    }
  }

  return html`
    <section class="section">
      <h2>${t('Tasks')}</h2>
      <p class="muted">${t('Drag tasks to sort them, or use Alt and the arrow keys.')}</p>
      <${Loaded} of=${loaded}>${(tasks) => html`<div ref=${list}><${Branches} tree=${treeOf(tasks)} whole=${treeOf(tasks)} move=${move} changed=${loaded.reload} /></div>`}<//>
      <${Form} class="inline-form" submit=${add} label=${t('Add')} kind="" resets>${(faults) => html`<${Field} label=${t('New task')} name="title" required fault=${faults.title} />`}<//>
    </section>
  `;
}

/** @param {{ tree: import('../core/task-moves.js').Branch[], whole: import('../core/task-moves.js').Branch[], move: (id: number, body: any) => void, changed: () => void }} props */
function Branches({ tree, whole, move, changed }) {
  if (!tree.length) return null;
  return html`<ul class="tree">${tree.map(({ task, children }) => html`
    <${TaskLine} key=${task.id} task=${task} changed=${changed} row=${rowOf(task, whole, move)}
      below=${html`<${Branches} tree=${children} whole=${whole} move=${move} changed=${changed} />`}>
      <${MoveButtons} task=${task} whole=${whole} move=${move} />
    <//>`)}</ul>`;
}

/** What a line does when it is dragged, or gets keys. @param {any} task @param {any} whole @param {(id: number, body: any) => void} move */
function rowOf(task, whole, move) {
  const mark = (event, isOn) => event.currentTarget.classList.toggle('drop-before', isOn);
  return {
    draggable: true,
    'data-task': task.id,
    onDragStart: (event) => event.dataTransfer.setData('text/fuze-task', String(task.id)),
    onDragOver: (event) => {
      if (!event.dataTransfer.types.includes('text/fuze-task')) return;
      event.preventDefault();
      mark(event, true);
    },
    onDragLeave: (event) => mark(event, false),
    onDrop: (event) => {
      mark(event, false);
      const id = Number(event.dataTransfer.getData('text/fuze-task'));
      if (id && id !== task.id) move(id, { before_id: task.id });
    },
    onKeyDown: (event) => {
      const step = event.altKey && STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      move(task.id, moveOf(whole, task.id, step));
    },
  };
}

/** @param {{ task: any, whole: any, move: (id: number, body: any) => void }} props */
function MoveButtons({ task, whole, move }) {
  const button = (step, icon, label) => html`
    <button class=${`button quiet icon-only ${icon === step ? 'stays' : ''}`} aria-label=${label} disabled=${!moveOf(whole, task.id, step)} onClick=${() => move(task.id, moveOf(whole, task.id, step))}><${Icon} name=${icon} /></button>`;
  return html`<span class="row-actions">
    ${button('up', 'up', t('Move up: {title}', { title: task.title }))}
    ${button('down', 'down', t('Move down: {title}', { title: task.title }))}
    ${button('in', 'right', t('Make a subtask: {title}', { title: task.title }))}
    ${button('out', 'left', t('Move out: {title}', { title: task.title }))}
  </span>`;
}
