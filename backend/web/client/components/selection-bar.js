// What can be done with the rows that are chosen.
import { html, useState } from '../core/html.js';
import { remove } from '../core/api.js';
import { t, tn } from '../core/i18n.js';
import { ConfirmedButton } from './confirmation.js';
import { Dialog } from './dialog.js';
import { Form } from './form.js';
import { TagInput } from './tag-input.js';
import { ProjectSelect } from './project-select.js';

/** @param {{ ids: number[], isTrash: boolean, act: (ids: number[], action: string, more?: any) => void, clear: () => void, refresh: () => void }} props */
export function SelectionBar({ ids, isTrash, act, clear, refresh }) {
  const [asking, setAsking] = useState('');
  const run = (action, more) => {
    act(ids, action, more);
    setAsking('');
    clear();
  };
  async function discard() {
    for (const id of ids) await remove(`bookmarks/${id}`, undefined, { permanent: true });
    clear();
    refresh();
  }
  const button = (action, label) => html`<button class="button small" onClick=${() => run(action)}>${label}</button>`;
  return html`
    <div class="selection" role="region" aria-label=${t('Selection')}>
      <strong>${tn('{n} selected', '{n} selected', ids.length)}</strong>
      ${isTrash ? html`${button('restore', t('Restore'))} <${ConfirmedButton} class="button small danger" label=${t('Delete for good')} title=${t('Delete for good')}
        text=${tn('{n} link goes for good. This cannot be undone.', '{n} links go for good. This cannot be undone.', ids.length)} run=${discard} />` : html`
        ${button('read', t('Mark as read'))} ${button('unread', t('Mark as unread'))} ${button('archive', t('Archive'))}
        <button class="button small" onClick=${() => setAsking('tags')}>${t('Add tags')}</button>
        <button class="button small" onClick=${() => setAsking('project')}>${t('Add to project')}</button>
        ${button('delete', t('Delete'))}`}
      <button class="button quiet small" onClick=${clear}>${t('Clear')}</button>
      ${asking === 'tags' && html`<${TagDialog} done=${(tags) => run('add_tags', { tags })} close=${() => setAsking('')} />`}
      ${asking === 'project' && html`<${ProjectDialog} done=${(id) => run('add_to_project', { project_id: id })} close=${() => setAsking('')} />`}
    </div>
  `;
}

/** @param {{ done: (tags: string[]) => void, close: () => void }} props */
function TagDialog({ done, close }) {
  const [tags, setTags] = useState(/** @type {string[]} */ ([]));
  const submit = async () => tags.length && done(tags);
  return html`<${Dialog} title=${t('Add tags')} close=${close}>
    <${Form} submit=${submit} label=${t('Add tags')}>${() => html`<${TagInput} tags=${tags} change=${setTags} />`}<//>
  <//>`;
}

/** @param {{ done: (id: number) => void, close: () => void }} props */
function ProjectDialog({ done, close }) {
  const submit = async ({ project_id }) => project_id && done(Number(project_id));
  return html`<${Dialog} title=${t('Add to project')} close=${close}>
    <${Form} submit=${submit} label=${t('Add to project')}>${() => html`<${ProjectSelect} />`}<//>
  <//>`;
}
