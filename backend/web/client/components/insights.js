// What the numbers say: pace of reading, what grows, what lies still.
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { ago } from '../core/dates.js';
import { number, t, tn } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { BarChart } from './bar-chart.js';

export function Insights() {
  const insights = useLoaded((signal) => get('dashboard/insights', {}, signal), []);
  const data = insights.data?.data;
  if (!data) return null;
  return html`
    <section class="section"><h2>${t('Insights')}</h2>
      <div class="columns charts">
        ${data.reading_pace && html`<${BarChart} title=${t('Links read by week')} points=${data.reading_pace.weeks.map((week) => ({ label: week.first_day, value: week.read }))} />`}
        <${Trends} title=${t('Recent tags')} trends=${data.top_tags} parameter="tag" />
        <${Trends} title=${t('Recent sites')} trends=${data.top_domains} parameter="domain" />
        <${Forgotten} projects=${data.forgotten_projects} />
      </div>
    </section>
  `;
}

/** @param {{ title: string, trends: any[] | null, parameter: string }} props */
function Trends({ title, trends, parameter }) {
  if (!trends?.length) return null;
  return html`<div class="card"><h3>${title}</h3><ul class="stack-small">${trends.slice(0, 6).map((trend) => html`<li key=${trend.name}>
    <a dir="auto" href=${`library?${parameter}=${encodeURIComponent(trend.name)}`}>${trend.name}</a>
    <span class="muted"> ${number(trend.saved)} (${t('before: {n}', { n: number(trend.saved_before) })})</span></li>`)}</ul></div>`;
}

/** @param {{ projects: any[] | null }} props */
function Forgotten({ projects }) {
  if (!projects?.length) return null;
  return html`<div class="card"><h3>${t('Projects at rest')}</h3><ul class="stack-small">${projects.map((project) => html`<li key=${project.id}>
    <a dir="auto" href=${`projects/${project.id}`}>${project.name}</a> <span class="muted">${ago(project.last_changed_at)}, ${tn('{n} open task', '{n} open tasks', project.open_tasks)}</span></li>`)}</ul></div>`;
}
