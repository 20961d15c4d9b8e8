// The reading of a project.
import { html } from '../core/html.js';
import { get, put, remove } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notifyFault, notifyUndoable } from '../core/notices.js';
import { Icon } from './icon.js';
import { LinkList } from './link-list.js';
import { Loaded } from './states.js';

/** @param {{ projectId: number }} props */
export function AttachedLinks({ projectId }) {
  const path = `projects/${projectId}/bookmarks`;
  const loaded = useLoaded((signal) => get(path, { page_size: 50 }, signal), [path]);
  async function detach(item) {
    try {
      await remove(`${path}/${item.id}`);
      loaded.reload();
      notifyUndoable(t('Detached from the project.'), () => put(`${path}/${item.id}`, { note: item.note }).then(loaded.reload));
    } catch (error) {
      notifyFault(error);
    }
  }
  const beside = (item) => html`<button class="button quiet icon-only" aria-label=${t('Detach {title}', { title: item.title })} onClick=${() => detach(item)}><${Icon} name="close" /></button>`;
  return html`
    <section class="section">
      <div class="section-head"><h2>${t('Reading')}</h2><a href=${`library?project_id=${projectId}`}>${t('All')}</a></div>
      <${Loaded} of=${loaded}>${(data) => data.items.length
        ? html`<${LinkList} items=${data.items} beside=${beside} />`
        : html`<p class="muted">${t('Nothing attached yet. Attach what is recommended below, or links of your library.')}</p>`}<//>
    </section>
  `;
}
