// Name, description and technologies of a project.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Choice } from './choice.js';
import { Field } from './field.js';
import { Form } from './form.js';
import { PROJECT_STATUSES } from './statuses.js';

/** @param {{ submit: (values: any) => Promise<any>, label: string, project?: any }} props */
export function ProjectForm({ submit, label, project }) {
  const send = ({ technologies, ...values }) => submit({ ...values, technologies: technologies.split(',').map((one) => one.trim()).filter(Boolean) });
  return html`
    <${Form} submit=${send} label=${label}>
      ${(faults) => html`
        <${Field} label=${t('Name')} name="name" value=${project?.name || ''} required autofocus dir="auto" fault=${faults.name} />
        <${Field} as="textarea" label=${t('Description')} name="description" value=${project?.description || ''} dir="auto" fault=${faults.description}
          hint=${t('A sentence or two: recommendations go by it.')} />
        <${Field} label=${t('Technologies')} name="technologies" value=${(project?.technologies || []).join(', ')} hint=${t('Separated by commas.')} fault=${faults.technologies} />
        ${project && html`<${Choice} label=${t('State')} name="status" options=${PROJECT_STATUSES()} value=${project.status} fault=${faults.status} />`}`}
    <//>
  `;
}
