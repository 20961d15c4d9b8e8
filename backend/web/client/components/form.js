// A form that sends its values by a function, and shows refusals at their fields.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { ApiError, explain } from '../core/problems.js';
import { t } from '../core/i18n.js';

/**
 * `children` is a function from the faults by field to the fields.
 * @param {{ submit: (values: Record<string, any>) => Promise<any>, label: string, children: any, class?: string,
 *   kind?: string, resets?: boolean }} props
 */
export function Form({ submit, label, children, class: className = '', kind = 'primary', resets = false }) {
  const [faults, setFaults] = useState(/** @type {Record<string, string>} */ ({}));
  const [summary, setSummary] = useState('');
  const [isSending, setSending] = useState(false);
  const form = useRef(/** @type {any} */ (null));

  useEffect(() => form.current?.querySelector('[aria-invalid]')?.focus(), [faults]);

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    if (isSending) return;
    setSending(true);
    setSummary('');
    try {
      await submit(Object.fromEntries(new FormData(form.current)));
      setFaults({});
      if (resets) form.current?.reset();
    } catch (error) {
      const named = error instanceof ApiError ? error.fields : {};
      const shown = Object.keys(named).filter((name) => form.current?.elements.namedItem(name));
      setFaults(named);
      if (!shown.length) setSummary(Object.values(named)[0] || explain(error));
    }
    setSending(false);
  }

  return html`
    <form ref=${form} class=${className} onSubmit=${send} novalidate>
      ${children(faults)}
      <p class="fault" role="alert">${summary}</p>
      <button class=${`button ${kind}`} aria-busy=${isSending ? 'true' : undefined}>${isSending ? t('One moment…') : label}</button>
    </form>
  `;
}
