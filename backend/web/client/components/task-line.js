// One task as a line: done or not, its name, when it is due.
import { html } from '../core/html.js';
import { patch } from '../core/api.js';
import { day } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { notifyFault } from '../core/notices.js';
import { PRIORITIES } from './statuses.js';

/** @param {{ task: any, changed: () => void, children?: any, row?: Record<string, any>, below?: any }} props */
export function TaskLine({ task, changed, children, row = {}, below }) {
  const isDone = task.status === 'done';
  async function toggle() {
    try {
      await patch(`tasks/${task.id}`, { status: isDone ? 'todo' : 'done' });
      changed();
    } catch (error) {
      notifyFault(error);
    }
  }
  const isLate = !isDone && task.due_at && new Date(task.due_at) < new Date();
  return html`
    <li class=${isDone ? 'task-done' : ''}>
      <div class="task-row" ...${row}>
        <input type="checkbox" checked=${isDone} aria-label=${t('Done: {title}', { title: task.title })} onChange=${toggle} />
        <a dir="auto" href=${`tasks/${task.id}`}>${task.title}</a>
        ${['high', 'urgent'].includes(task.priority) && html`<span class=${`badge badge-${task.priority}`}>${PRIORITIES()[task.priority]}</span>`}
        ${task.due_at && html`<span class=${`badge ${isLate ? 'badge-late' : ''}`}>${day(task.due_at)}</span>`}
        ${task.subtasks.total > 0 && html`<span class="badge">${task.subtasks.done}/${task.subtasks.total}</span>`}
        ${children}
      </div>
      ${below}
    </li>
  `;
}
