// A bar chart of one series, with a table of the same numbers for screen readers.
import { html } from '../core/html.js';
import { number, t } from '../core/i18n.js';

const WIDTH = 400;
const HEIGHT = 130;
const BASELINE = 20;

/** @param {{ title: string, points: { label: string, value: number }[] }} props */
export function BarChart({ title, points }) {
  const most = Math.max(1, ...points.map((point) => point.value));
  const step = WIDTH / Math.max(1, points.length);
  return html`
    <figure class="card">
      <figcaption><h3>${title}</h3></figcaption>
      <svg class="chart" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        ${points.map((point, at) => {
          const height = ((HEIGHT - BASELINE - 14) * point.value) / most;
          return html`<rect key=${at} class="chart-bar" x=${at * step + 1} width=${Math.max(1, step - 2)} y=${HEIGHT - BASELINE - height} height=${height} rx="2"><title>${`${point.label}: ${number(point.value)}`}</title></rect>`;
        })}
        <text class="chart-text" x="0" y="10">${number(most)}</text>
        <text class="chart-text" x="0" y=${HEIGHT - 4}>${points[0]?.label}</text>
        <text class="chart-text" x=${WIDTH} y=${HEIGHT - 4} text-anchor="end">${points[points.length - 1]?.label}</text>
      </svg>
      <table class="visually-hidden"><caption>${title}</caption><thead><tr><th scope="col">${t('Day')}</th><th scope="col">${t('Number')}</th></tr></thead>
        <tbody>${points.map((point) => html`<tr key=${point.label}><td>${point.label}</td><td>${number(point.value)}</td></tr>`)}</tbody></table>
    </figure>
  `;
}
