// What is known of a bookmark.
import { html } from '../core/html.js';
import { day, moment } from '../core/dates.js';
import { number, t, tn } from '../core/i18n.js';
import { passagesOf } from '../core/quotes.js';

const CAPTURE = () => ({ pending: t('The page is being read…'), captured: t('Was read'), failed: t('Could not be read'), skipped: t('Not read') });

/** @param {{ name: string, children: any }} props */
const Fact = ({ name, children }) => (children ? html`<dt>${name}</dt><dd dir="auto">${children}</dd>` : null);

/** @param {{ bookmark: any, recapture: () => void }} props */
export function BookmarkFacts({ bookmark, recapture }) {
  const { capture } = bookmark;
  return html`
    <div class="card">
      ${bookmark.description && html`<p dir="auto">${bookmark.description}</p>`}
      ${bookmark.tags.length > 0 && html`<div class="chips">${bookmark.tags.map((tag) => html`<a key=${tag} class="chip" href=${`library?tag=${encodeURIComponent(tag)}`}>#${tag}</a>`)}</div>`}
      ${bookmark.notes && html`<${Notes} notes=${bookmark.notes} />`}
      <dl class="facts">
        <${Fact} name=${t('Site')}><a href=${`library?domain=${encodeURIComponent(bookmark.domain)}`}>${bookmark.site_name || bookmark.domain}</a><//>
        <${Fact} name=${t('Author')}>${bookmark.author}<//>
        <${Fact} name=${t('Published')}>${day(bookmark.published_at)}<//>
        <${Fact} name=${t('Length')}>${bookmark.word_count ? `${number(bookmark.word_count)} ${t('words')}, ${tn('{n} min', '{n} min', bookmark.reading_minutes || 1)}` : null}<//>
        <${Fact} name=${t('Saved on')}>${moment(bookmark.created_at)}<//>
        <${Fact} name=${t('Page')}>${CAPTURE()[capture.status]} ${capture.error ? `(${capture.error})` : ''}<//>
      </dl>
      ${capture.status !== 'pending' && html`<div><button class="button small" onClick=${recapture}>${t('Read the page again')}</button></div>`}
    </div>
  `;
}

/** Notes, with the passages that they quote set apart. @param {{ notes: string }} props */
function Notes({ notes }) {
  return passagesOf(notes).map(({ text, isQuote }, at) => (isQuote
    ? html`<blockquote key=${at} class="quote" dir="auto">${text}</blockquote>`
    : html`<p key=${at} class="notes" dir="auto">${text}</p>`));
}
