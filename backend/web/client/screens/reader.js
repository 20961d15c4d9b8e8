// The text of a page, in a frame that runs no scripts. Where one has read to is remembered in this browser.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { Icon } from '../components/icon.js';
import { OuterLink } from '../components/outer-link.js';
import { Screen } from '../components/screen.js';
import { Loaded } from '../components/states.js';
import { get, patch, read } from '../core/api.js';
import { act } from '../core/bookmark-actions.js';
import { forgetLists } from '../core/bookmark-list.js';
import { t, tn } from '../core/i18n.js';
import { useLoaded } from '../core/loading.js';
import { notify, notifyFault } from '../core/notices.js';
import { markQuotes, quotesIn, withQuote } from '../core/quotes.js';
import { readerPage, tameLinks } from '../core/reader-page.js';
import { frameMarkup } from '../core/trusted.js';

const SIZES = ['small', 'medium', 'large'];
const STORED_SIZE = 'fuze.reader-size';

export default function Reader({ parameters }) {
  const { id } = parameters;
  const loaded = useLoaded(async (signal) => {
    const [{ data: bookmark, etag }, content] = await Promise.all([read(`bookmarks/${id}`, { signal }), get(`bookmarks/${id}/content`, {}, signal)]);
    return { bookmark, content, etag };
  }, [id]);
  return html`<${Loaded} of=${loaded}>${(data) => html`<${Page} ...${data} reload=${loaded.reload} />`}<//>`;
}

/** @param {{ bookmark: any, content: any, etag: string | null, reload: () => void }} props */
function Page({ bookmark, content, etag, reload }) {
  const [size, setSize] = useState(localStorage.getItem(STORED_SIZE) || 'medium');
  const choose = (name) => {
    localStorage.setItem(STORED_SIZE, name);
    setSize(name);
  };
  const done = async () => {
    await act(null, [bookmark.id], 'read');
    forgetLists();
    history.back();
  };
  async function highlight() {
    const passage = document.querySelector('iframe')?.contentDocument?.getSelection()?.toString().trim();
    if (!passage) return notify(t('Select a passage first.'));
    try {
      await patch(`bookmarks/${bookmark.id}`, { notes: withQuote(bookmark.notes, passage) }, etag);
      notify(t('Highlighted, and quoted in the notes.'));
    } catch (error) {
      notifyFault(error);
    }
    return reload();
  }
  const title = content.title || bookmark.title || bookmark.url;
  return html`
    <${ReadingProgress} id=${bookmark.id} />
    <${Screen} title=${title} narrow class="reader">
      <p class="muted">${[content.byline, bookmark.domain, bookmark.reading_minutes && tn('{n} min', '{n} min', bookmark.reading_minutes)].filter(Boolean).join(' · ')}</p>
      <div class="bar">
        <div class="chips" role="group" aria-label=${t('Text size')}>
          ${SIZES.map((name, at) => html`<button key=${name} class="chip" aria-pressed=${size === name ? 'true' : 'false'}
            aria-label=${[t('Small'), t('Medium'), t('Large')][at]} onClick=${() => choose(name)}><span class=${`size-${name}`}>A</span></button>`)}
        </div>
        <${OuterLink} class="button small" href=${bookmark.url}><${Icon} name="open" />${t('Open the page')}<//>
        <${OuterLink} class="button small" href=${archived(bookmark)}><${Icon} name="archive" />${t('Archived copy')}<//>
        <button class="button small" onClick=${highlight}><${Icon} name="edit" />${t('Highlight')}</button>
        <a class="button small" href=${`bookmarks/${bookmark.id}`}>${t('Details')}</a>
        <button class="button small" onClick=${done}><${Icon} name="check" />${t('Done reading')}</button>
      </div>
      <${ReaderFrame} title=${title} markup=${content.html || ''} text=${content.text} size=${size} language=${bookmark.language} id=${bookmark.id} notes=${bookmark.notes} />
    <//>
  `;
}

/** The page as the Internet Archive has it nearest to when it was read. @param {any} bookmark */
const archived = ({ url, capture }) => `https://web.archive.org/web/${(capture.captured_at || '').replace(/\D/g, '').slice(0, 14) || '*'}/${url}`;

/** @param {{ title: string, markup: string, text: string, size: string, language: string | null, id: number, notes: string }} props */
function ReaderFrame({ title, markup, text, size, language, id, notes }) {
  const frame = useRef(/** @type {any} */ (null));
  useEffect(() => {
    frame.current.srcdoc = frameMarkup(readerPage(markup, text, language));
  }, [markup]);
  useEffect(() => fit(frame.current, size), [size]);
  useEffect(() => frame.current.contentDocument?.body && markQuotes(frame.current.contentDocument, quotesIn(notes)), [notes]);
  function show() {
    const inner = frame.current?.contentDocument;
    if (!inner?.body) return;
    tameLinks(inner);
    markQuotes(inner, quotesIn(notes));
    fit(frame.current, size);
    new ResizeObserver(() => fit(frame.current, size)).observe(inner.body);
    const share = Number(localStorage.getItem(`fuze.read.${id}`)) || 0;
    if (share > 0.02) scrollTo(0, share * (document.documentElement.scrollHeight - innerHeight));
  }
  return html`<iframe ref=${frame} class="reader-frame" title=${title} sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" onLoad=${show}></iframe>`;
}

/** Make the frame as high as its page. @param {any} frame @param {string} size */
function fit(frame, size) {
  const inner = frame?.contentDocument;
  if (!inner?.body) return;
  inner.documentElement.dataset.size = size;
  frame.style.height = `${Math.max(200, inner.body.offsetHeight + 40)}px`;
}

/** @param {{ id: number }} props */
function ReadingProgress({ id }) {
  const [share, setShare] = useState(0);
  useEffect(() => {
    const measure = () => {
      const most = document.documentElement.scrollHeight - innerHeight;
      const now = most > 0 ? scrollY / most : 0;
      setShare(now);
      localStorage.setItem(`fuze.read.${id}`, now.toFixed(3));
    };
    addEventListener('scroll', measure, { passive: true });
    return () => removeEventListener('scroll', measure);
  }, [id]);
  return html`<div class="reader-progress" aria-hidden="true" style=${{ backgroundSize: `${share * 100}% 100%` }}></div>`;
}
