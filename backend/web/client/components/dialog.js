// A modal dialog: the browser keeps the focus inside, and Escape closes it.
import { html, useEffect, useId, useRef } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icon.js';

/** @param {{ title: string, close: () => void, children: any }} props */
export function Dialog({ title, close, children }) {
  const dialog = useRef(/** @type {any} */ (null));
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  return html`
    <dialog ref=${dialog} class="dialog" aria-labelledby=${id} onClose=${close}
      onClick=${(event) => event.target === dialog.current && close()}>
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id=${id}>${title}</h2>
          <button class="button quiet icon-only" aria-label=${t('Close')} onClick=${close}><${Icon} name="close" /></button>
        </header>
        ${children}
      </div>
    </dialog>
  `;
}
