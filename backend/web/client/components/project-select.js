// A choice among the projects.
import { html } from '../core/html.js';
import { get } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { Field } from './field.js';

/** @param {{ value?: number | null, label?: string }} props */
export function ProjectSelect({ value = null, label }) {
  const projects = useLoaded((signal) => get('projects', { page_size: 100, sort: 'name' }, signal), []);
  return html`
    <${Field} as="select" name="project_id" label=${label || t('Project')}>
      <option value="">${t('None')}</option>
      ${(projects.data?.items || []).map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === value}>${one.name}</option>`)}
    <//>
  `;
}
