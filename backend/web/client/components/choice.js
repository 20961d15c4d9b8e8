// A select over named values.
import { html } from '../core/html.js';
import { Field } from './field.js';

/** @param {{ label: string, name: string, options: Record<string, string>, value?: string, [attribute: string]: any }} props */
export function Choice({ options, value, ...field }) {
  return html`<${Field} as="select" ...${field}>
    ${Object.entries(options).map(([name, label]) => html`<option key=${name} value=${name} selected=${name === value}>${label}</option>`)}
  <//>`;
}
