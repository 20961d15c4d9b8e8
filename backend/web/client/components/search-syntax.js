// What can be written into the search field.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';

const ROWS = () => [
  ['rate limits', t('all of these words, in any form')],
  ['"token bucket"', t('a phrase')],
  ['python -django', t('without a word')],
  ['redis OR valkey', t('either')],
  ['tag:reading  #reading', t('with a tag')],
  ['site:example.com', t('of a site')],
  ['is:unread  is:favorite  is:archived', t('by state')],
  ['after:2026-01-31  before:2026-03-01', t('by the day it was saved')],
  ['lang:de', t('in a language')],
];

export function SearchSyntax() {
  return html`
    <section class="section" aria-label=${t('How to search')}>
      <h2>${t('How to search')}</h2>
      <div class="card"><table><tbody>
        ${ROWS().map(([example, meaning]) => html`<tr key=${example}><td><code>${example}</code></td><td>${meaning}</td></tr>`)}
      </tbody></table></div>
    </section>
  `;
}
