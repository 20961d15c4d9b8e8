// Home: what to read and do next.
import { html } from '../core/html.js';
import { LinkList } from '../components/link-list.js';
import { Recommendations } from '../components/recommendations.js';
import { Screen } from '../components/screen.js';
import { SearchBox } from '../components/search-box.js';
import { Empty, Loaded } from '../components/states.js';
import { TaskLine } from '../components/task-line.js';
import { get } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { go } from '../core/router.js';
import { session } from '../core/session.js';

const WEEK_MS = 7 * 86400 * 1000;

export default function Home() {
  const unread = useLoaded(async (signal) => {
    const [page, any] = await Promise.all([
      get('bookmarks', { is_read: false, page_size: 6 }, signal),
      get('bookmarks', { is_archived: 'any', page_size: 1 }, signal),
    ]);
    return { ...page, isNew: !any.total };
  }, []);
  const search = (q) => q.trim() && go(`/search?q=${encodeURIComponent(q.trim())}`);
  return html`
    <${Screen} title=${t('Welcome, {name}', { name: session.value.user?.username })} actions=${html`<a class="button primary" href="add">${t('Add a link')}</a>`}>
      <${SearchBox} value="" type=${() => {}} submit=${search} />
      <${Loaded} of=${unread}>${(data) => (data.isNew ? html`<${FirstSteps} />` : html`<${Reading} unread=${data} />`)}<//>
    <//>
  `;
}

/** @param {{ unread: any }} props */
function Reading({ unread }) {
  return html`
    <${DueTasks} />
    <section class="section">
      <div class="section-head"><h2>${t('Unread')}</h2><a href="library?view=unread">${t('All {n}', { n: unread.total })}</a></div>
      ${unread.total ? html`<${LinkList} items=${unread.items} />` : html`<p class="muted">${t('Everything is read.')}</p>`}
    </section>
    <${Recommendations} title=${t('For you')} />
    <${Recommendations} title=${t('Rediscover')} subject=${{ engine: 'rediscover' }} limit=${3} />
  `;
}

function DueTasks() {
  const dueBefore = new Date(Date.now() + WEEK_MS).toISOString();
  const tasks = useLoaded((signal) => get('tasks', { due_before: dueBefore, status: ['todo', 'in_progress', 'blocked'], sort: 'due_at', page_size: 6 }, signal), []);
  const items = tasks.data?.items || [];
  if (!items.length) return null;
  return html`
    <section class="section">
      <div class="section-head"><h2>${t('Due')}</h2><a href="tasks">${t('All tasks')}</a></div>
      <ul class="tree">${items.map((task) => html`<${TaskLine} key=${task.id} task=${task} changed=${tasks.reload} />`)}</ul>
    </section>
  `;
}

function FirstSteps() {
  return html`
    <${Empty} icon="spark" title=${t('Everything you save is there when you need it')}>
      <p>${t('Save a link: Fuze reads the page, and from then on you find it by every word in it.')}</p>
      <div class="actions"><a class="button primary" href="add">${t('Add a link')}</a><a class="button" href="transfer">${t('Import')}</a><a class="button" href="projects">${t('Make a project')}</a></div>
    <//>
  `;
}
