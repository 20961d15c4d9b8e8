// The search field with its suggestions.
import { html, useEffect, useId, useRef, useState } from '../core/html.js';
import { suggestions } from '../core/api.js';
import { t } from '../core/i18n.js';
import { useDelayed } from '../core/loading.js';
import { takeTyped } from '../core/typed-ahead.js';

const SUGGEST_MS = 90;
const KINDS = () => ({ tag: t('Tag'), title: t('Title'), domain: t('Site'), recent: t('Recent search') });

/** @param {{ kind: string, value: string }} option what it is as a query */
function queryOf({ kind, value }) {
  if (kind === 'tag') return /[\s"]/.test(value) ? `tag:"${value.replaceAll('"', '\\"')}"` : `tag:${value}`;
  return kind === 'domain' ? `site:${value}` : value;
}

/**
 * `type` is called with each change, `submit` with what was chosen or entered.
 * @param {{ value: string, type: (q: string) => void, submit: (q: string) => void, focused?: boolean }} props
 */
export function SearchBox({ value, type, submit, focused = false }) {
  const id = useId();
  const [text, setText] = useState(value);
  const [options, setOptions] = useState(/** @type {any[]} */ ([]));
  const [active, setActive] = useState(-1);
  const suggest = useDelayed(async (q) => {
    const found = q ? await suggestions('search/suggest', { q }) : [];
    // Whoever has gone on is not shown them any more.
    setOptions(document.activeElement?.id === id ? found : []);
  }, SUGGEST_MS);
  // What was typed comes back as the value while the next letters are typed: it must not replace them.
  const typed = useRef(/** @type {Set<string>} */ (new Set()));
  useEffect(() => {
    if (!typed.current.delete(value)) setText(value);
  }, [value]);
  useEffect(() => {
    if (!focused) return;
    document.getElementById(id)?.focus();
    const ahead = takeTyped();
    if (ahead) change(text + ahead);
  }, []);

  function change(next) {
    setText(next);
    setActive(-1);
    suggest(next.trim());
    typed.current.add(next.trim());
    type(next);
  }
  function choose(query) {
    suggest('');
    setOptions([]);
    typed.current.clear();
    setText(query);
    submit(query);
  }
  function press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) setActive((active + step + options.length) % options.length);
    else if (event.key === 'Enter') choose(active >= 0 ? queryOf(options[active]) : text);
    else if (event.key === 'Escape' && options.length) setOptions([]);
    else return;
    event.preventDefault();
  }

  return html`
    <div class="search-box" role="search">
      <label class="visually-hidden" for=${id}>${t('Search')}</label>
      <input id=${id} type="search" role="combobox" autocomplete="off" spellcheck=${false} aria-expanded=${options.length ? 'true' : 'false'}
        aria-controls=${`${id}-options`} aria-autocomplete="list" aria-activedescendant=${active >= 0 ? `${id}-${active}` : undefined}
        placeholder=${t('Words, "a phrase", tag:…, site:…')} value=${text} onInput=${(event) => change(event.target.value)}
        onKeyDown=${press} onBlur=${() => setOptions([])} />
      <ul class="options" id=${`${id}-options`} role="listbox" aria-label=${t('Suggestions')} hidden=${!options.length}>
        ${options.map((option, at) => html`<li key=${`${option.kind} ${option.value}`} id=${`${id}-${at}`} class="option" role="option"
          aria-selected=${at === active ? 'true' : 'false'} onMouseDown=${(event) => { event.preventDefault(); choose(queryOf(option)); }}>
          <span dir="auto">${option.value}</span><span class="muted">${KINDS()[option.kind]}</span></li>`)}
      </ul>
    </div>
  `;
}
