// Text of a search result, with what was found marked.
import { html } from '../core/html.js';
import { pieces } from '../core/highlights.js';

/** @param {{ text: string }} props */
export function Highlighted({ text }) {
  return pieces(text).map((piece) => (piece.isFound ? html`<mark>${piece.text}</mark>` : piece.text));
}
