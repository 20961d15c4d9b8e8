// The notices, in a region that is read out politely.
import { html } from '../core/html.js';
import { dismiss, notices } from '../core/notices.js';
import { t } from '../core/i18n.js';
import { Icon } from './icon.js';

export function NoticeList() {
  return html`
    <div class="notices" role="status" aria-live="polite">
      ${notices.value.map((notice) => html`<${OneNotice} key=${notice.id} notice=${notice} />`)}
    </div>
  `;
}

/** @param {{ notice: import('../core/notices.js').Notice }} props */
function OneNotice({ notice }) {
  const act = () => {
    notice.action?.run();
    dismiss(notice.id);
  };
  return html`
    <div class=${`notice notice-${notice.kind}`}>
      <span>${notice.text}</span>
      ${notice.action && html`<button class="button quiet" onClick=${act}>${notice.action.label}</button>`}
      <button class="button quiet icon-only" aria-label=${t('Dismiss')} onClick=${() => dismiss(notice.id)}>
        <${Icon} name="close" />
      </button>
    </div>
  `;
}
