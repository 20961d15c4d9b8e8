// The trash: links, projects and tasks, restored or deleted for good.
import { html, useEffect, useMemo } from '../core/html.js';
import { BookmarkRows } from '../components/bookmark-rows.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Screen } from '../components/screen.js';
import { Empty } from '../components/states.js';
import { get, post, remove } from '../core/api.js';
import { onBookmarksChanged } from '../core/bookmark-events.js';
import { bookmarkList, forgetLists } from '../core/bookmark-list.js';
import { ago } from '../core/dates.js';
import { t, tn } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyFault } from '../core/notices.js';

const PAGE = 100;

export default function Trash() {
  const list = useMemo(() => bookmarkList('bookmarks', { deleted: true, is_archived: 'any', sort: '-updated_at' }), []);
  useEffect(() => {
    if (list.state.peek().total !== null) list.refresh();
  }, [list]);
  useEffect(() => onBookmarksChanged(() => list.refresh()), [list]);
  const { total } = list.state.value;
  async function empty() {
    const { deleted } = await remove('bookmarks/trash');
    forgetLists();
    notify(tn('One link deleted for good', '{n} links deleted for good', deleted));
    await list.refresh();
  }
  const button = total > 0 && html`<${ConfirmedButton} label=${t('Empty the trash')} title=${t('Empty the trash')}
    text=${tn('{n} link goes for good. This cannot be undone.', '{n} links go for good. This cannot be undone.', total)} run=${empty} />`;
  return html`
    <${Screen} title=${t('Trash')} actions=${button}>
      <p class="muted">${t('Links stay here for 30 days.')}</p>
      <${Trashed} path="projects" title=${t('Projects')} nameOf=${(one) => one.name} />
      <${Trashed} path="tasks" title=${t('Tasks')} nameOf=${(one) => one.title} />
      <h2 class="section">${t('Links')}</h2>
      <${BookmarkRows} list=${list} isTrash empty=${html`<${Empty} icon="trash" title=${t('No links in the trash.')} />`} />
    <//>
  `;
}

/** @param {{ path: string, title: string, nameOf: (one: any) => string }} props */
function Trashed({ path, title, nameOf }) {
  const loaded = useLoaded((signal) => get(path, { deleted: true, page_size: PAGE }, signal), [path]);
  const restore = (one) => post(`${path}/${one.id}/restore`).then(loaded.reload).catch(notifyFault);
  const discard = (one) => remove(`${path}/${one.id}`, undefined, { permanent: true }).then(loaded.reload);
  const items = loaded.data?.items || [];
  if (!items.length) return null;
  return html`
    <section class="section"><h2>${title}</h2>
      <ul class="entries">${items.map((one) => html`<li key=${one.id}>
        <div class="entry-main"><span dir="auto">${nameOf(one)}</span> <span class="muted">${ago(one.deleted_at)}</span></div>
        <div class="actions"><button class="button small" aria-label=${t('Restore {title}', { title: nameOf(one) })} onClick=${() => restore(one)}>${t('Restore')}</button>
        <${ConfirmedButton} class="button small danger" label=${t('Delete for good')} name=${t('Delete for good: {title}', { title: nameOf(one) })} title=${t('Delete for good')}
          text=${nameOf(one)} run=${() => discard(one)} /></div></li>`)}</ul>
    </section>
  `;
}
