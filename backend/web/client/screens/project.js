// One project: its tasks, its reading, what is recommended for it.
import { html, useState } from '../core/html.js';
import { AttachedLinks } from '../components/attached-links.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { ProjectForm } from '../components/project-form.js';
import { Recommendations } from '../components/recommendations.js';
import { Screen } from '../components/screen.js';
import { Loaded } from '../components/states.js';
import { TaskTree } from '../components/task-tree.js';
import { patch, read, remove } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify } from '../core/notices.js';
import { go } from '../core/router.js';

export default function ProjectScreen({ parameters }) {
  const loaded = useLoaded((signal) => read(`projects/${parameters.id}`, { signal }), [parameters.id]);
  return html`<${Loaded} of=${loaded}>${({ data, etag }) => html`<${Project} project=${data} etag=${etag} loaded=${loaded} />`}<//>`;
}

/** @param {{ project: any, etag: string | null, loaded: any }} props */
function Project({ project, etag, loaded }) {
  const [isEditing, setEditing] = useState(false);
  const [round, setRound] = useState(0);
  async function save(values) {
    await patch(`projects/${project.id}`, values, etag);
    setEditing(false);
    loaded.reload();
  }
  async function discard() {
    await remove(`projects/${project.id}`);
    notify(t('Moved to the trash'));
    go('/projects');
  }
  return html`
    <${Screen} title=${project.name} actions=${html`
      <button class="button" aria-expanded=${isEditing ? 'true' : 'false'} onClick=${() => setEditing(!isEditing)}>${t('Edit')}</button>
      <${ConfirmedButton} label=${t('Delete')} title=${t('Delete the project')} text=${t('It goes to the trash with its tasks; its links stay.')} run=${discard} />`}>
      ${isEditing
        ? html`<div class="card"><${ProjectForm} project=${project} submit=${save} label=${t('Save')} /></div>`
        : html`<p dir="auto">${project.description}</p>
          <div class="chips apart">${project.technologies.map((one) => html`<span key=${one} class="badge badge-accent">${one}</span>`)}</div>`}
      <${TaskTree} projectId=${project.id} />
      <${AttachedLinks} projectId=${project.id} key=${`links ${round}`} />
      <${Recommendations} title=${t('Recommended for this project')} subject=${{ project_id: project.id }} projectId=${project.id} attached=${() => setRound(round + 1)} />
    <//>
  `;
}
