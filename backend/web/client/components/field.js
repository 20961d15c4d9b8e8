// A labelled input with its hint and its fault, tied together for screen readers.
import { html, useEffect, useId } from '../core/html.js';

/**
 * @param {{ label: string, name: string, fault?: string, hint?: string, type?: string, value?: any,
 *   as?: 'input' | 'textarea' | 'select', children?: any, [attribute: string]: any }} props
 */
export function Field({ label, name, fault, hint, as = 'input', children, value, ...attributes }) {
  const id = useId();
  // What is typed stays while the form is drawn again, unless somebody else holds the value.
  const content = attributes.onInput ? { value } : { defaultValue: value };
  // Browsers heed `autofocus` once a page.
  useEffect(() => void (attributes.autofocus && document.getElementById(id)?.focus()), []);
  const notes = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ');
  return html`
    <div class=${`field ${fault ? 'field-wrong' : ''}`}>
      <label for=${id}>${label}</label>
      <${as} id=${id} name=${name} aria-describedby=${notes || undefined} aria-invalid=${fault ? 'true' : undefined}
        ...${content} ...${attributes}>${children}<//>
      ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
      ${fault && html`<p class="fault" id=${`${id}-fault`}>${fault}</p>`}
    </div>
  `;
}
