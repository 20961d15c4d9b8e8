// Who did what, newest first.
import { html, useState } from '../core/html.js';
import { get } from '../core/api.js';
import { ago } from '../core/dates.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { activityName } from './event-names.js';
import { Loaded } from './states.js';

const PAGE = 20;

export function ActivityList() {
  const [limit, setLimit] = useState(PAGE);
  const activity = useLoaded((signal) => get('dashboard/activity', { limit }, signal), [limit]);
  return html`
    <section class="section">
      <h2>${t('Activity')}</h2>
      <${Loaded} of=${activity}>${({ data }) => html`
        <ul class="entries">${data.items.map((event) => html`<li key=${event.id}>
          <div class="entry-main"><span dir="auto">${event.title || event.object_type}</span><p class="muted">${event.username || ''} ${activityName(event.type)}</p></div>
          <span class="muted">${ago(event.created_at)}</span></li>`)}</ul>
        ${data.has_next && limit < 100 && html`<div><button class="button" onClick=${() => setLimit(Math.min(100, limit + PAGE))}>${t('Show more')}</button></div>`}`}<//>
    </section>
  `;
}
