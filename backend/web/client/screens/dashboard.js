// Numbers of the organization: what there is, what was done, by whom.
import { html } from '../core/html.js';
import { ActivityList } from '../components/activity-list.js';
import { BarChart } from '../components/bar-chart.js';
import { Insights } from '../components/insights.js';
import { Screen } from '../components/screen.js';
import { Loaded } from '../components/states.js';
import { get } from '../core/api.js';
import { number, t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { setQuery } from '../core/router.js';

const SPANS = { week: 7, month: 30, quarter: 90 };
const SPAN_LABELS = () => ({ week: t('7 days'), month: t('30 days'), quarter: t('90 days') });

/** The first day of a span as the API takes it. @param {number} days */
const firstDay = (days) => new Date(Date.now() - (days - 1) * 86400000).toISOString().slice(0, 10);

export default function Dashboard({ query }) {
  const span = query.get('span') || 'month';
  const days = SPANS[span] || 30;
  const metrics = useLoaded((signal) => get('dashboard/metrics', {}, signal), []);
  const statistics = useLoaded((signal) => get('dashboard/statistics', { from: firstDay(days), interval: days > 60 ? 'week' : 'day' }, signal), [span]);
  return html`
    <${Screen} title=${t('Dashboard')}>
      <${Loaded} of=${metrics}>${({ data }) => html`<${Figures} metrics=${data} />`}<//>
      <div class="bar section"><div class="chips" role="group" aria-label=${t('Period')}>
        ${Object.entries(SPAN_LABELS()).map(([name, label]) => html`<button key=${name} class="chip" aria-pressed=${span === name ? 'true' : 'false'} onClick=${() => setQuery({ span: name })}>${label}</button>`)}
      </div></div>
      <${Loaded} of=${statistics}>${({ data }) => html`<h2 class="visually-hidden">${t('Over time')}</h2><${Charts} series=${data.series} />`}<//>
      <${Insights} />
      <${ActivityList} />
    <//>
  `;
}

/** @param {{ metrics: any }} props */
function Figures({ metrics }) {
  const { content, engagement, users } = metrics;
  const figures = [
    [t('Links'), content.bookmarks.total],
    [t('Unread'), content.bookmarks.unread],
    [t('Projects'), content.projects.total],
    [t('Tasks'), content.tasks.total],
    [t('Searches'), engagement.searches],
    [t('People active this week'), users.active_week],
  ];
  return html`<ul class="columns figures">${figures.map(([name, value]) => html`<li key=${name} class="card"><p class="muted">${name}</p><p class="figure">${number(value)}</p></li>`)}</ul>`;
}

/** @param {{ series: any[] }} props */
function Charts({ series }) {
  const charts = [
    ['bookmarks', t('Links saved')],
    ['searches', t('Searches')],
    ['tasks_completed', t('Tasks completed')],
    ['recommendations_opened', t('Recommendations opened')],
  ];
  return html`<div class="columns charts">${charts.map(([name, title]) => html`<${BarChart} key=${name} title=${title} points=${series.map((one) => ({ label: one.date, value: one[name] }))} />`)}</div>`;
}
