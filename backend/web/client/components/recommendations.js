// What is recommended for a project, a task or the person, with reasons; opinions change what comes next.
import { html } from '../core/html.js';
import { get, post, put } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyFault, notifyUndoable } from '../core/notices.js';
import { Icon } from './icon.js';
import { Loaded } from './states.js';

/**
 * @param {{ subject?: Record<string, any>, title: string, projectId?: number | null, attached?: () => void, limit?: number }} props
 */
export function Recommendations({ subject = {}, title, projectId = null, attached, limit = 6 }) {
  const loaded = useLoaded((signal) => get('recommendations', { ...subject, limit }, signal), [JSON.stringify(subject)]);
  const drop = (id) => loaded.set({ ...loaded.data, items: loaded.data.items.filter((one) => one.bookmark.id !== id) });

  async function say(item, kind) {
    const body = { bookmark_id: item.bookmark.id, recommendation_id: item.recommendation_id, ...feedbackSubject(subject), kind };
    try {
      await post('feedback', body);
      if (kind === 'relevant') notify(t('More like this will come.'));
      else drop(item.bookmark.id);
      if (kind === 'not_relevant') notifyUndoable(t('This will not be offered here again.'), () => post('feedback', { ...body, kind: 'relevant' }).then(loaded.reload));
    } catch (error) {
      notifyFault(error);
    }
  }
  async function attach(item) {
    try {
      await put(`projects/${projectId}/bookmarks/${item.bookmark.id}`);
      drop(item.bookmark.id);
      notify(t('Attached to the project.'));
      attached?.();
    } catch (error) {
      notifyFault(error);
    }
  }

  return html`
    <section class="section">
      <div class="section-head"><h2>${title}</h2><button class="button quiet small" onClick=${loaded.reload}><${Icon} name="refresh" />${t('Again')}</button></div>
      <${Loaded} of=${loaded}>${(data) => data.items.length
        ? html`<ul class="columns">${data.items.map((item) => html`<${Recommended} key=${item.bookmark.id} item=${item} say=${say} attach=${projectId ? attach : null} />`)}</ul>`
        : html`<p class="muted">${data.reason || t('Nothing to recommend yet: it needs more links, or more words.')}</p>`}<//>
    </section>
  `;
}

/** @param {Record<string, any>} subject */
const feedbackSubject = ({ project_id, task_id }) => ({ project_id, task_id });

/** @param {{ item: any, say: (item: any, kind: string) => void, attach: ((item: any) => void) | null }} props */
function Recommended({ item, say, attach }) {
  const { bookmark, reasons } = item;
  const title = bookmark.title || bookmark.url;
  return html`
    <li class="card">
      <h3><a dir="auto" href=${`bookmarks/${bookmark.id}`} onClick=${() => post('feedback', { bookmark_id: bookmark.id, recommendation_id: item.recommendation_id, kind: 'opened' }).catch(() => null)}>${title}</a></h3>
      <p class="muted">${bookmark.domain}</p>
      <ul class="reasons">${reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}</ul>
      <div class="actions">
        ${attach && html`<button class="button small" aria-label=${t('Attach: {title}', { title })} onClick=${() => attach(item)}>${t('Attach')}</button>`}
        <button class="button quiet small" aria-label=${t('More like this: {title}', { title })} onClick=${() => say(item, 'relevant')}>${t('More like this')}</button>
        <button class="button quiet small" aria-label=${t('Not relevant: {title}', { title })} onClick=${() => say(item, 'not_relevant')}>${t('Not relevant')}</button>
      </div>
    </li>
  `;
}
