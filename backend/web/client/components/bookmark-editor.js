// Edit a bookmark; where it was changed elsewhere meanwhile, both versions are shown and the person decides.
import { html, useState } from '../core/html.js';
import { patch, read } from '../core/api.js';
import { t } from '../core/i18n.js';
import { ApiError } from '../core/problems.js';
import { Field } from './field.js';
import { Form } from './form.js';
import { ProjectSelect } from './project-select.js';
import { SuggestedTags } from './suggested-tags.js';
import { TagInput } from './tag-input.js';

const FIELDS = ['title', 'url', 'description', 'notes'];
const STALE = 412;

/** @param {{ bookmark: any, etag: string | null, saved: (bookmark: any, etag: string | null) => void, cancel: () => void }} props */
export function BookmarkEditor({ bookmark, etag, saved, cancel }) {
  const [tags, setTags] = useState(bookmark.tags);
  const [base, setBase] = useState({ bookmark, etag });
  const [theirs, setTheirs] = useState(/** @type {any} */ (null));

  async function submit({ project_id, ...values }) {
    const changes = changesOf(bookmark, { ...values, tags });
    if (project_id) changes.project_ids = [...new Set([...base.bookmark.project_ids, Number(project_id)])];
    try {
      await patch(`bookmarks/${bookmark.id}`, changes, base.etag);
      const after = await read(`bookmarks/${bookmark.id}`);
      saved(after.data, after.etag);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== STALE) throw error;
      const now = await read(`bookmarks/${bookmark.id}`);
      setTheirs(now.data);
      setBase({ bookmark: now.data, etag: now.etag });
      throw error;
    }
  }

  return html`
    <div class="card">
      ${theirs && html`<${Theirs} theirs=${theirs} />`}
      <${Form} submit=${submit} label=${theirs ? t('Save mine') : t('Save')}>
        ${(faults) => html`
          <${Field} label=${t('Title')} name="title" value=${bookmark.title} fault=${faults.title} dir="auto" />
          <${Field} label=${t('Address')} name="url" type="url" value=${bookmark.url} fault=${faults.url} />
          <${Field} as="textarea" label=${t('Description')} name="description" value=${bookmark.description} fault=${faults.description} dir="auto" />
          <${Field} as="textarea" label=${t('Notes')} name="notes" value=${bookmark.notes} fault=${faults.notes} dir="auto" />
          <${TagInput} tags=${tags} change=${setTags} fault=${faults.tags} />
          <${SuggestedTags} id=${bookmark.id} tags=${tags} add=${(tag) => setTags([...tags, tag])} />
          <${ProjectSelect} label=${t('Add to project')} />`}
      <//>
      <div><button class="button quiet" onClick=${cancel}>${t('Cancel')}</button></div>
    </div>
  `;
}

/** What differs from the version that was opened: other fields stay as they are by now. @param {any} before @param {any} values */
function changesOf(before, values) {
  const changes = Object.fromEntries(FIELDS.filter((name) => values[name] !== before[name]).map((name) => [name, values[name]]));
  const isSame = JSON.stringify(values.tags) === JSON.stringify(before.tags);
  return isSame ? changes : { ...changes, tags: values.tags };
}

/** @param {{ theirs: any }} props */
function Theirs({ theirs }) {
  return html`
    <div class="banner" role="alert">
      <p><strong>${t('This was changed elsewhere meanwhile.')}</strong> ${t('It now reads:')}</p>
      <dl class="facts">
        <dt>${t('Title')}</dt><dd>${theirs.title}</dd>
        <dt>${t('Notes')}</dt><dd>${theirs.notes}</dd>
        <dt>${t('Tags')}</dt><dd>${theirs.tags.join(', ')}</dd>
      </dl>
    </div>
  `;
}
