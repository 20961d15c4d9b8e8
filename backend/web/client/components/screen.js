// The frame of a screen: its title, which is also the window's, and what can be done on it.
import { html, useEffect, useLayoutEffect, useRef } from '../core/html.js';
import { scrolledTo } from '../core/router.js';

/** @param {{ title: string, actions?: any, children: any, class?: string, narrow?: boolean }} props */
export function Screen({ title, actions, children, narrow = false, class: className = '' }) {
  const heading = useRef(/** @type {any} */ (null));
  useEffect(() => {
    document.title = `${title} · Fuze`;
  }, [title]);
  useLayoutEffect(() => scrollTo(0, scrolledTo()), []);
  // Screen readers go on from the new screen's name, unless something on it has taken the focus.
  useEffect(() => {
    if (!document.activeElement || document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, []);
  return html`
    <div class=${`screen ${narrow ? 'screen-narrow' : ''} ${className}`}>
      <header class="screen-head">
        <h1 ref=${heading} tabindex="-1">${title}</h1>
        ${actions && html`<div class="screen-actions">${actions}</div>`}
      </header>
      ${children}
    </div>
  `;
}
