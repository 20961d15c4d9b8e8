// What a screen shows while it loads, where it cannot, and where there is nothing.
import { html } from '../core/html.js';
import { t } from '../core/i18n.js';
import { explain } from '../core/problems.js';
import { Icon } from './icon.js';

/** Nothing is announced for the first moment: most screens load faster. */
export const Loading = () => html`<p class="loading" role="status"><span class="spinner"></span>${t('Loading…')}</p>`;

/** @param {{ error: any, retry?: () => void }} props */
export function Fault({ error, retry }) {
  return html`
    <div class="state" role="alert">
      <${Icon} name="warning" />
      <p>${error?.status === 404 ? t('There is nothing here, or it belongs to somebody else.') : explain(error)}</p>
      ${retry && html`<button class="button" onClick=${retry}>${t('Try again')}</button>`}
    </div>
  `;
}

/** @param {{ icon?: string, title: string, children?: any }} props */
export function Empty({ icon = 'library', title, children }) {
  return html`<div class="state"><${Icon} name=${icon} /><h2>${title}</h2>${children}</div>`;
}

/** What is loaded, by a function of the data. @param {{ of: import('../core/loading.js').Loaded<any>, children: any }} props */
export function Loaded({ of, children }) {
  if (of.data !== null) return children(of.data);
  return of.error ? html`<${Fault} error=${of.error} retry=${of.reload} />` : html`<${Loading} />`;
}
