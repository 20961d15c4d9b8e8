// Tags: how many links each has; renamed, merged, deleted.
import { html, useState } from '../core/html.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Dialog } from '../components/dialog.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Icon } from '../components/icon.js';
import { Screen } from '../components/screen.js';
import { Empty, Loaded } from '../components/states.js';
import { get, patch, post, remove } from '../core/api.js';
import { forgetLists } from '../core/bookmark-list.js';
import { t, tn } from '../core/i18n.js';
import { useDelayed, useLoaded } from '../core/loading.js';

export default function Tags() {
  const [q, setQ] = useState('');
  const [edited, setEdited] = useState(/** @type {any} */ (null));
  const tags = useLoaded((signal) => get('tags', { q, page_size: 100 }, signal), [q]);
  const type = useDelayed((value) => setQ(value.trim()), 150);
  const changed = () => {
    setEdited(null);
    forgetLists();
    tags.reload();
  };
  return html`
    <${Screen} title=${t('Tags')} narrow>
      <${Field} label=${t('Begins with')} name="q" type="search" onInput=${(event) => type(event.target.value)} />
      <${Loaded} of=${tags}>${(data) => data.items.length ? html`
        <ul class="entries">${data.items.map((tag) => html`<li key=${tag.id}>
          <div class="entry-main"><a dir="auto" href=${`library?tag=${encodeURIComponent(tag.name)}`}>#${tag.name}</a> <span class="muted">${tn('{n} link', '{n} links', tag.bookmark_count)}</span></div>
          <button class="button quiet icon-only" aria-label=${t('Edit tag {name}', { name: tag.name })} onClick=${() => setEdited(tag)}><${Icon} name="edit" /></button>
        </li>`)}</ul>` : html`<${Empty} icon="tag" title=${t('No tags here.')} />`}<//>
      ${edited && html`<${TagEditor} tag=${edited} tags=${tags.data.items} changed=${changed} close=${() => setEdited(null)} />`}
    <//>
  `;
}

/** @param {{ tag: any, tags: any[], changed: () => void, close: () => void }} props */
function TagEditor({ tag, tags, changed, close }) {
  const rename = ({ name }) => patch(`tags/${tag.id}`, { name }).then(changed);
  const merge = ({ into }) => post(`tags/${tag.id}/merge`, { into_id: Number(into) }).then(changed);
  return html`
    <${Dialog} title=${`#${tag.name}`} close=${close}>
      <${Form} submit=${rename} label=${t('Rename')}>${(faults) => html`<${Field} label=${t('Name')} name="name" value=${tag.name} fault=${faults.name} />`}<//>
      ${tags.length > 1 && html`<${Form} submit=${merge} label=${t('Merge')} kind="">
        ${(faults) => html`<${Field} as="select" label=${t('Merge into')} name="into" fault=${faults.into_id}>
          ${tags.filter((one) => one.id !== tag.id).map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}<//>`}
      <//>`}
      <div><${ConfirmedButton} label=${t('Delete the tag')} title=${t('Delete the tag')} text=${t('Its links stay.')} run=${() => remove(`tags/${tag.id}`).then(changed)} /></div>
    <//>
  `;
}
