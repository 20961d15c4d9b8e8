// Projects.
import { html, useState } from '../core/html.js';
import { Dialog } from '../components/dialog.js';
import { ProjectForm } from '../components/project-form.js';
import { Screen } from '../components/screen.js';
import { Empty, Loaded } from '../components/states.js';
import { get, post } from '../core/api.js';
import { t, tn } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { go, setQuery } from '../core/router.js';
import { PROJECT_STATUSES } from '../components/statuses.js';

export default function Projects({ query }) {
  const [isOpen, setOpen] = useState(query.has('new'));
  const status = query.get('status') || '';
  const projects = useLoaded((signal) => get('projects', { status, page_size: 100, sort: '-updated_at' }, signal), [status]);
  const create = (values) => post('projects', values).then((project) => go(`/projects/${project.id}`));
  return html`
    <${Screen} title=${t('Projects')} actions=${html`<button class="button primary" onClick=${() => setOpen(true)}>${t('New project')}</button>`}>
      <div class="bar"><div class="chips" role="group" aria-label=${t('Filters')}>
        ${[['', t('All')], ...Object.entries(PROJECT_STATUSES())].map(([name, label]) => html`
          <button key=${name} class="chip" aria-pressed=${status === name ? 'true' : 'false'} onClick=${() => setQuery({ status: name })}>${label}</button>`)}
      </div></div>
      <${Loaded} of=${projects}>${(data) => data.items.length
        ? html`<ul class="columns">${data.items.map((project) => html`<${ProjectCard} key=${project.id} project=${project} />`)}</ul>`
        : html`<${Empty} icon="project" title=${t('No projects here.')}><p>${t('A project collects what you read for it, and Fuze offers what fits.')}</p><//>`}<//>
      ${isOpen && html`<${Dialog} title=${t('New project')} close=${() => setOpen(false)}><${ProjectForm} submit=${create} label=${t('Make the project')} /><//>`}
    <//>
  `;
}

/** @param {{ project: any }} props */
function ProjectCard({ project }) {
  const { done, total } = project.tasks;
  return html`
    <li class="card card-link">
      <h2><a dir="auto" href=${`projects/${project.id}`}>${project.name}</a></h2>
      <p class="muted excerpt" dir="auto">${project.description}</p>
      <p class="muted">${tn('{n} link', '{n} links', project.bookmark_count)} · ${t('{done} of {total} tasks', { done, total })}</p>
      ${total > 0 && html`<progress class="progress" max=${total} value=${done} aria-label=${t('Tasks that are done')}></progress>`}
    </li>
  `;
}
