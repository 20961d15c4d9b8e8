// Add a link: typed, pasted, dropped, shared by a phone or a bookmarklet.
import { html, useEffect, useState } from '../core/html.js';
import { Field } from '../components/field.js';
import { Form } from '../components/form.js';
import { ProjectSelect } from '../components/project-select.js';
import { SavedLink } from '../components/saved-link.js';
import { Screen } from '../components/screen.js';
import { TagInput } from '../components/tag-input.js';
import { addressIn } from '../core/addresses.js';
import { post } from '../core/api.js';
import { forgetLists } from '../core/bookmark-list.js';
import { t } from '../core/i18n.js';
import { notify } from '../core/notices.js';
import { save } from '../core/queue.js';
import { tell } from '../core/tabs.js';
import { useDelayed } from '../core/loading.js';

const LOOKUP_MS = 250;

export default function Add({ query }) {
  const shared = query.get('url') || addressIn(query.get('text') || '') || '';
  const [url, setUrl] = useState(shared);
  const [tags, setTags] = useState(/** @type {string[]} */ ([]));
  const [known, setKnown] = useState(/** @type {any} */ (null));
  const [saved, setSaved] = useState(/** @type {any} */ (null));
  const look = useDelayed(async (value) => setKnown(await existing(value)), LOOKUP_MS);

  useEffect(() => void (url && look(url)), [url]);
  usePastedLinks(setUrl);

  async function submit({ title, notes, project_id }) {
    const body = { url: url.trim(), tags, title: title || undefined, notes: notes || undefined, project_ids: project_id ? [Number(project_id)] : undefined };
    const bookmark = await save(body);
    if (bookmark) tell({ kind: 'bookmarks' });
    else notify(t('No connection: the link is stored here and sent later.'));
    forgetLists();
    setSaved(bookmark);
    setUrl('');
    setTags([]);
    setKnown(null);
  }

  return html`
    <${Screen} title=${t('Add a link')} narrow>
      ${saved && html`<${SavedLink} key=${saved.id} bookmark=${saved} />`}
      <${Form} submit=${submit} label=${known ? t('Save again') : t('Save')} resets>
        ${(faults) => html`
          <${Field} label=${t('Address')} name="url" type="url" inputmode="url" autofocus required value=${url} fault=${faults.url}
            hint=${t('Paste it anywhere on this screen, or drop a link here.')} onInput=${(event) => setUrl(event.target.value)} />
          ${known && html`<p class="banner" role="status">${t('You have this link already:')} <a href=${`bookmarks/${known.id}`}>${known.title || known.url}</a></p>`}
          <${TagInput} tags=${tags} change=${setTags} fault=${faults.tags} />
          <details open=${Boolean(query.get('title'))}><summary>${t('Title, notes, project')}</summary><div class="stack section">
            <${Field} label=${t('Title')} name="title" value=${query.get('title') || ''} hint=${t('Left empty, it is that of the page.')} fault=${faults.title} />
            <${Field} as="textarea" label=${t('Notes')} name="notes" fault=${faults.notes} />
            <${ProjectSelect} />
          </div></details>`}
      <//>
      <p class="muted apart">${t('Save from any page: drag this to your bookmarks bar.')} <${Bookmarklet} /></p>
    <//>
  `;
}

/** The bookmark that an address leads to, or null. @param {string} url */
async function existing(url) {
  try {
    return addressIn(url) ? await post('bookmarks/lookup', { url: url.trim() }) : null;
  } catch {
    return null;
  }
}

/** Take links that are pasted or dropped outside of a field. @param {(url: string) => void} take */
function usePastedLinks(take) {
  useEffect(() => {
    const paste = (event) => !/^(INPUT|TEXTAREA)$/.test(event.target.tagName) && use(event.clipboardData?.getData('text') || '');
    const drop = (event) => {
      event.preventDefault();
      use(event.dataTransfer.getData('text/uri-list') || event.dataTransfer.getData('text'));
    };
    const use = (text) => {
      const found = addressIn(text);
      if (found) take(found);
    };
    const over = (event) => event.preventDefault();
    document.addEventListener('paste', paste);
    document.addEventListener('drop', drop);
    document.addEventListener('dragover', over);
    return () => {
      document.removeEventListener('paste', paste);
      document.removeEventListener('drop', drop);
      document.removeEventListener('dragover', over);
    };
  }, []);
}

/** The one link whose address is a script; it runs on other pages, never here. */
function Bookmarklet() {
  const target = new URL('save', document.baseURI).href;
  const script = `javascript:location.href='${target}?url='+encodeURIComponent(location.href)+'&title='+encodeURIComponent(document.title)`;
  return html`<a class="chip" href=${script} onClick=${(event) => event.preventDefault()}>${t('Save to Fuze')}</a>`;
}
