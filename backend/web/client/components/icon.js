// Icons: lines on a grid of 24, in the colour of the text beside them.
import { html } from '../core/html.js';

const SHAPES = {
  home: 'M4 11l8-7 8 7v9h-5v-6h-6v6H4z',
  library: 'M5 4h4v16H5zM11 4h3v16h-3zM16.5 5l3-.8 2.4 14.9-3 .7z',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  plus: 'M12 5v14M5 12h14',
  project: 'M4 6h6l2 2h8v11H4z',
  task: 'M4 6l2 2 3-3M4 13l2 2 3-3M12 7h8M12 14h8M12 20h8M4 20h4',
  chart: 'M4 20V4M4 20h16M8 16v-5M12 16V8M16 16v-3',
  transfer: 'M8 4v13M4 13l4 4 4-4M16 20V7M12 11l4-4 4 4',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M14 4v6M6 14v6',
  admin: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5',
  tag: 'M4 4h8l8 8-8 8-8-8zM8 8h.01',
  star: 'M12 4l2.5 5.3 5.5.7-4 4 1 5.8-5-2.8-5 2.8 1-5.8-4-4 5.5-.7z',
  archive: 'M4 5h16v4H4zM6 9v11h12V9M10 13h4',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  read: 'M4 5c3-1 6-1 8 1 2-2 5-2 8-1v14c-3-1-6-1-8 1-2-2-5-2-8-1zM12 6v14',
  check: 'M5 13l4 4L19 7',
  close: 'M6 6l12 12M18 6L6 18',
  open: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  edit: 'M4 20l1-4L16 5l3 3L8 19z',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  left: 'M19 12H5M11 6l-6 6 6 6',
  right: 'M5 12h14M13 6l6 6-6 6',
  spark: 'M12 3l2 6 6 2-6 2-2 6-2-6-6-2 6-2z',
  refresh: 'M20 8a8 8 0 1 0 1 6M20 3v5h-5',
  drag: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM5 20c1-4 4-5 7-5s6 1 7 5',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
};

/** @param {{ name: keyof typeof SHAPES }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${SHAPES[name]} /></svg>`;
}
