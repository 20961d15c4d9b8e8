// Help: keys, search, where to go on.
import { html } from '../core/html.js';
import { SearchSyntax } from '../components/search-syntax.js';
import { Screen } from '../components/screen.js';
import { t } from '../core/i18n.js';

const KEYS = () => [
  ['/', t('Search')],
  ['a', t('Add a link')],
  ['g', t('Home')],
  ['j  k', t('Next and previous link of a list')],
  ['Enter', t('Details of the link')],
  ['o', t('Open its page')],
  ['r', t('Read its text here')],
  ['e', t('Archive it, or move it back')],
  ['s', t('Favourite')],
  ['m', t('Mark as read or unread')],
  ['x', t('Select it')],
  ['#', t('Delete it')],
  ['?', t('This page')],
];

export default function Help() {
  return html`
    <${Screen} title=${t('Help')} narrow>
      <section><h2>${t('Keys')}</h2><div class="card section"><table><tbody>
        ${KEYS().map(([key, meaning]) => html`<tr key=${key}><td>${key.split('  ').map((one) => html`<kbd>${one}</kbd> `)}</td><td>${meaning}</td></tr>`)}
      </tbody></table></div></section>
      <${SearchSyntax} />
      <section class="section"><h2>${t('For programs')}</h2><p><a href="api/docs">${t('The API and its documentation')}</a></p></section>
    <//>
  `;
}
