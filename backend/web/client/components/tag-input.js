// Tags as chips, with completion of those that exist: a combobox of the ARIA practices.
import { html, useId, useState } from '../core/html.js';
import { suggestions } from '../core/api.js';
import { t, tn } from '../core/i18n.js';
import { useDelayed } from '../core/loading.js';
import { Icon } from './icon.js';

const DELAY_MS = 120;

/** @param {{ tags: string[], change: (tags: string[]) => void, fault?: string }} props */
export function TagInput({ tags, change, fault }) {
  const id = useId();
  const [text, setText] = useState('');
  const [options, setOptions] = useState(/** @type {any[]} */ ([]));
  const [active, setActive] = useState(-1);
  const complete = useDelayed(async (q) => setOptions(q ? await suggestions('tags', { q, page_size: 8 }) : []), DELAY_MS);

  const shown = options.filter((option) => !tags.includes(option.name));
  function type(value) {
    setText(value);
    setActive(-1);
    complete(value.trim());
  }
  function add(name) {
    const tag = name.trim().replace(/^#/, '');
    if (tag && !tags.some((one) => one.toLowerCase() === tag.toLowerCase())) change([...tags, tag]);
    type('');
    setOptions([]);
  }
  function press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) setActive((active + step + shown.length) % shown.length);
    else if ((event.key === 'Enter' || event.key === ',') && (text.trim() || active >= 0)) add(shown[active]?.name ?? text);
    else if (event.key === 'Backspace' && !text && tags.length) change(tags.slice(0, -1));
    else if (event.key === 'Escape' && shown.length) setOptions([]);
    else return;
    event.preventDefault();
  }

  return html`
    <div class="field tag-entry">
      <label for=${id}>${t('Tags')}</label>
      <div class="chips">
        ${tags.map((tag) => html`<button key=${tag} type="button" class="chip" aria-label=${t('Remove tag {tag}', { tag })}
          onClick=${() => change(tags.filter((one) => one !== tag))}>${tag}<${Icon} name="close" /></button>`)}
      </div>
      <input id=${id} role="combobox" autocomplete="off" aria-expanded=${shown.length ? 'true' : 'false'} aria-controls=${`${id}-options`}
        aria-autocomplete="list" aria-activedescendant=${active >= 0 ? `${id}-${active}` : undefined} value=${text}
        onInput=${(event) => type(event.target.value)} onKeyDown=${press} onBlur=${() => add(text)} placeholder=${t('Type and press Enter')} />
      <ul class="options" id=${`${id}-options`} role="listbox" aria-label=${t('Tags')} hidden=${!shown.length}>
        ${shown.map((option, at) => html`<li key=${option.id} id=${`${id}-${at}`} class="option" role="option" aria-selected=${at === active ? 'true' : 'false'}
          onMouseDown=${(event) => { event.preventDefault(); add(option.name); }}>
          <span>${option.name}</span><span class="muted">${tn('{n} link', '{n} links', option.bookmark_count)}</span></li>`)}
      </ul>
      ${fault && html`<p class="fault">${fault}</p>`}
    </div>
  `;
}
