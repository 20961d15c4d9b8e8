// Feeds: a filter of the library as Atom, at a secret address.
import { html, useState } from '../core/html.js';
import { ConfirmedButton } from '../components/confirmation.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { Loaded } from '../components/states.js';
import { get, post, remove } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';

export function Feeds() {
  const feeds = useLoaded((signal) => get('feeds', { page_size: 100 }, signal), []);
  const [made, setMade] = useState(/** @type {any} */ (null));
  async function create({ name, tag }) {
    setMade(await post('feeds', { name, filter: tag ? { tag: [tag] } : {} }));
    feeds.reload();
  }
  return html`
    ${made && html`<div role="status"><p>${t('Copy the address now: it is shown this once.')}</p><code class="secret">${made.url}</code></div>`}
    <${Form} class="inline-form" submit=${create} label=${t('Make a feed')} resets>
      ${(faults) => html`<${Field} label=${t('Name')} name="name" required fault=${faults.name} /><${Field} label=${t('Only with the tag')} name="tag" fault=${faults['filter.tag']} />`}
    <//>
    <${Loaded} of=${feeds}>${(data) => html`<ul class="entries">${data.items.map((feed) => html`<li key=${feed.id}>
      <div class="entry-main"><strong>${feed.name}</strong> <span class="muted">${(feed.filter.tag || []).map((tag) => `#${tag}`).join(' ')}</span></div>
      <${ConfirmedButton} class="button small danger" label=${t('Delete')} name=${t('Delete feed {name}', { name: feed.name })} title=${t('Delete the feed')} text=${t('Its address stops working at once.')} run=${() => remove(`feeds/${feed.id}`).then(feeds.reload)} /></li>`)}</ul>`}<//>
  `;
}
