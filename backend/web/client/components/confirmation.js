// Asks before something is done that cannot be undone.
import { html, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { notifyFault } from '../core/notices.js';
import { Dialog } from './dialog.js';

/** @param {{ label: any, title: string, text: string, run: () => Promise<any>, class?: string, name?: string }} props */
export function ConfirmedButton({ label, title, text, run, class: className = 'button danger', name }) {
  const [isOpen, setOpen] = useState(false);
  async function confirm() {
    setOpen(false);
    await run().catch(notifyFault);
  }
  return html`
    <button type="button" class=${className} aria-label=${name} onClick=${() => setOpen(true)}>${label}</button>
    ${isOpen &&
    html`<${Dialog} title=${title} close=${() => setOpen(false)}>
      <p>${text}</p>
      <div class="actions">
        <button class="button danger" onClick=${confirm}>${title}</button>
        <button class="button" onClick=${() => setOpen(false)}>${t('Cancel')}</button>
      </div>
    <//>`}
  `;
}
